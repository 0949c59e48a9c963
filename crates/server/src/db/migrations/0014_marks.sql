-- Who marked an example last, and the number of that event: whoever marks says which marks they saw.

-- 0 where the marks came with the data, or there never were any.
ALTER TABLE example ADD COLUMN marks_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE example ADD COLUMN marks_by TEXT;
UPDATE example SET marks_seq = (SELECT MAX(l.seq) FROM label_event l WHERE l.example = example.id AND l.what = 'marks')
    WHERE id IN (SELECT l.example FROM label_event l WHERE l.what = 'marks' AND l.act <> 'import');
UPDATE example SET marks_by = (SELECT l.person FROM label_event l WHERE l.example = example.id AND l.what = 'marks' AND l.act <> 'rename'
    ORDER BY l.seq DESC LIMIT 1) WHERE marks_seq > 0
