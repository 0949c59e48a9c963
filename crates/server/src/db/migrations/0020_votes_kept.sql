-- What several people answered outlives a time in which one person is asked.

-- Of data sets that ask one now, votes are kept where a second person answered beside the first: such an answer says nothing of what held before.
-- Others are left over from corrections, or came with the data; what holds says all that they do.
DELETE FROM vote WHERE dataset IN (SELECT id FROM dataset WHERE annotators = 1)
    AND NOT EXISTS (SELECT 1 FROM label_event l WHERE l.example = vote.example AND l.what = 'label' AND l.act = 'give'
    AND l.before IS DISTINCT FROM (SELECT p.holds FROM label_event p WHERE p.example = l.example AND p.what = 'label' AND p.seq < l.seq
    ORDER BY p.seq DESC LIMIT 1));
-- Whoever answered since then decided: what holds otherwise than most say.
UPDATE example SET decided = 1 WHERE decided = 0 AND label IS NOT NULL AND dataset IN (SELECT id FROM dataset WHERE annotators = 1)
    AND EXISTS (SELECT 1 FROM vote v WHERE v.example = example.id)
    AND (SELECT COUNT(*) FROM vote v WHERE v.example = example.id AND v.label = example.label)
    <= COALESCE((SELECT COUNT(*) FROM vote v WHERE v.example = example.id AND v.label <> example.label GROUP BY v.label ORDER BY COUNT(*) DESC LIMIT 1), 0)
