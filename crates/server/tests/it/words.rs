//! Whose words come back when a data set goes back to a state: those of who gave them, and nobody loses theirs.

use serde_json::json;

use crate::going_back::{Set, dent};

#[test]
fn labels_that_come_back_are_the_words_of_who_gave_them() {
    let set = Set::parts();
    let ben = set.server.person(&set.ann, "ben", "labeller");
    let (one, other) = (set.example("red/00"), set.example("red/01"));
    let by = |example: &str| set.ann.get(&format!("/v1/examples/{example}")).body["by"].clone();
    // Who gives a class another name says nothing about what has it, and neither does who took their word back.
    assert_eq!(set.say(&ben, &one, Some("blue")).status, 200);
    assert_eq!(set.say(&ben, &other, Some("blue")).status, 200);
    assert_eq!(set.say(&set.ann, &other, Some("green")).status, 200);
    assert_eq!(set.ann.post(&set.at("/undo"), &json!({})).status, 200);
    assert_eq!(set.rename("blue", "navy").status, 200);
    let before = set.seq();
    for example in [&one, &other] {
        assert_eq!(set.say(&set.ann, example, Some("green")).status, 200);
    }
    assert_eq!((by(&one), by(&other)), (json!("ann"), json!("ann")));
    assert_eq!(set.back_to(before), [2, 0, 0, 0]);
    assert_eq!((by(&one), by(&other)), (json!("ben"), json!("ben")));
}

#[test]
fn what_several_people_said_is_theirs() {
    let set = Set::parts();
    let [ben, eve] = ["ben", "eve"].map(|name| set.server.person(&set.ann, name, "labeller"));
    let (one, before) = (set.example("red/00"), set.seq());
    set.ask(3);
    for who in [&ben, &eve] {
        assert_eq!(set.say(who, &one, Some("blue")).status, 200);
    }
    let now = set.seq();
    let told = set.restore(&set.ann, before);
    assert_eq!((told.status, &told.body["code"]), (409, &json!("conflict")));
    assert_eq!(set.seq(), now);
    set.ask(1);
    assert_eq!(set.back_to(before), [1, 0, 0, 0]);
    // It holds as a decision when they are asked again, and what they said is still there.
    set.ask(3);
    assert_eq!(set.say(&ben, &one, Some("green")).status, 200);
    let known = set.ann.get(&format!("/v1/examples/{one}")).body;
    assert_eq!(known["label"], "red");
    let votes = set.ann.get(&format!("/v1/examples/{one}/votes")).body;
    let said = votes["votes"].as_array().expect("votes").iter().map(|vote| vote["label"].as_str());
    let mut said: Vec<Option<&str>> = said.collect();
    said.sort();
    assert_eq!(said, [Some("blue"), Some("green")], "{votes}");
}

#[test]
fn marks_of_several_people_outlive_going_back() {
    let set = Set::parts();
    let ben = set.server.person(&set.ann, "ben", "labeller");
    let one = set.example("red/00");
    set.ask(2);
    let own = |class: &str| json!({ "marks": [dent(class, 2)] });
    let at = format!("/v1/examples/{one}/marks");
    assert_eq!(ben.send("PUT", &at, &own("dent")).status, 200);
    let before = set.seq();
    set.ask(1);
    assert_eq!(set.mark(&one, &[dent("scratch", 1)]).status, 200);
    assert_eq!(set.back_to(before), [0, 1, 0, 0]);
    set.ask(2);
    assert_eq!(ben.send("PUT", &at, &own("hole")).status, 200);
    let holds = set.ann.get(&format!("/v1/examples/{one}")).body["marks"].clone();
    assert_eq!(holds[0]["class"], "dent", "a decision holds whatever is given later: {holds}");
    let list = set.ann.get(&format!("/v1/examples/{one}/markings")).body;
    let marked = list["people"].as_array().expect("people").iter().map(|one| &one["marks"][0]["class"]);
    // Ben's of then are taken, and hers of meanwhile are still hers.
    assert_eq!(marked.collect::<Vec<_>>(), ["hole", "scratch"], "{list}");
    assert_eq!(
        (&list["decision"]["took"], &list["decision"]["by"]),
        (&json!("one"), &json!("ann")),
        "{list}"
    );
}
