-- Where pieces of longer sounds were cut out.

-- The name of the sound, and from when to when in seconds, as JSON; absent of what is whole, and of pieces from before.
ALTER TABLE example ADD COLUMN piece TEXT
