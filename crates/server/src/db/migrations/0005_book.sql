-- The label book: the rules that were decided on, what belongs into each class, and cases that wait for a rule.

CREATE TABLE book_rule (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    -- By which people know it; no other rule ever has it.
    number BIGINT NOT NULL,
    -- Whose features it holds, and how many.
    base TEXT NOT NULL,
    dim BIGINT NOT NULL,
    -- The entry of the book, as JSON, with the names of examples.
    body TEXT NOT NULL,
    -- 1 where it was taken out.
    gone BIGINT NOT NULL DEFAULT 0,
    -- The place of its last change in the life of the data set.
    changed BIGINT NOT NULL,
    PRIMARY KEY (dataset, number)
);
CREATE TABLE class_note (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    class TEXT NOT NULL,
    body TEXT NOT NULL,
    person TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (dataset, class)
);
-- A finding that wants a rule, with all that its entry will hold. Another audit does away with them.
CREATE TABLE conflict_case (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    body TEXT NOT NULL,
    -- The rule that was decided on, and what held before, as JSON; absent while nothing is decided.
    rule BIGINT,
    before TEXT,
    PRIMARY KEY (dataset, number)
)
