-- Pieces of longer sounds: a model that learns from them looks through long sounds in pieces as long as the usual one.

-- How long a piece is, in thousandths of a second; absent of what is whole.
ALTER TABLE example ADD COLUMN piece_ms BIGINT
