-- Examples with several contents, each known by the name of its sense.

-- The senses of a data set in the order of their columns, as JSON; absent where examples have one content each.
ALTER TABLE dataset ADD COLUMN senses TEXT;
-- What each sense knows, as JSON; what is missing is not there. Texts stand in `body` as well, so that they are found.
ALTER TABLE example ADD COLUMN senses TEXT;
