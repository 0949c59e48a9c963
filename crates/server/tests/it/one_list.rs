//! What several people marked while one person is asked: nobody sees it, and it is there when several are asked again.

use serde_json::json;

use crate::markings::{ANN, BEN, EVE, Set, dent, mark, picture};
use crate::running::Place;

#[test]
fn what_each_marked_and_what_was_decided_outlives_a_time_of_one_list() {
    outlives(Place::default());
}

/// Also on PostgreSQL.
pub(crate) fn outlives(place: Place) {
    let set = Set::on(place, false);
    for example in [0, 1] {
        set.mark(BEN, example, &json!([dent(0.0)]));
        set.mark(EVE, example, &json!([dent(40.0)]));
    }
    let eve = set.markings(ANN, 0)["people"][1]["person"].clone();
    assert_eq!(set.decide(ANN, 0, &json!({ "take": "one", "person": eve })), 200);
    let before = set.markings(ANN, 0);
    set.ask(1, false);
    set.mark(ANN, 1, &json!([dent(7.0)]));
    set.ask(3, false);
    assert_eq!(set.markings(ANN, 0), before, "nobody touched it");
    assert_eq!((set.holds(0), set.own(BEN, 0)), (json!([dent(40.0)]), json!([dent(0.0)])));
    // Who changed the one list decided for theirs.
    assert_eq!(set.holds(1), json!([dent(7.0)]));
    let own = [ANN, BEN, EVE].map(|who| set.own(who, 1));
    assert_eq!(own, [dent(7.0), dent(0.0), dent(40.0)].map(|dent| json!([dent])));
    let decision = set.markings(ANN, 1)["decision"].clone();
    assert_eq!((&decision["took"], &decision["by"]), (&json!("one"), &json!("ann")));
    assert_eq!(set.decide(ANN, 1, &json!({ "take": "nobody" })), 200);
    assert_eq!(set.holds(1), json!([dent(0.0)]), "who gave theirs first");
}

#[test]
fn a_class_goes_that_no_visible_mark_has_and_comes_back_with_its_marks() {
    let set = Set::new(false);
    set.mark(BEN, 0, &json!([dent(0.0)]));
    set.mark(EVE, 0, &json!([mark("bump", 40.0)]));
    let remove = || set.people[ANN].ask("DELETE", &set.at("/classes/bump"), None, &[]).status;
    let is_there = || set.people[ANN].get(&set.at("")).body["classes"].to_string().contains("bump");
    assert_eq!(remove(), 409, "Eve marked one");
    set.ask(1, false);
    assert_eq!((remove(), is_there()), (204, false));
    set.ask(3, false);
    assert!(is_there());
    assert_eq!((remove(), set.own(EVE, 0)), (409, json!([mark("bump", 40.0)])));
}

#[test]
fn marks_are_whose_they_are_also_where_two_mark_the_same() {
    let set = Set::new(true);
    set.mark(BEN, 0, &json!([dent(0.0)]));
    set.mark(EVE, 0, &json!([dent(0.0)]));
    set.undo(BEN);
    set.ask(1, true);
    // Who labels blindly sees what is their own alone.
    let seen = [BEN, EVE].map(|who| set.example(who, 0)["marks"].clone());
    assert_eq!(seen, [json!([]), json!([dent(0.0)])]);
}

#[test]
fn another_name_is_one_change_where_nothing_has_it() {
    let set = Set::shared(Place::default(), &[picture(0)]);
    set.mark(ANN, 0, &json!([mark("bump", 0.0)]));
    set.mark(ANN, 0, &json!([]));
    let seq =
        || set.people[ANN].get(&set.at("/history")).body["points"][0]["seq"].as_i64().expect("a number");
    let before = seq();
    let named = set.people[ANN].send("PATCH", &set.at("/classes/bump"), &json!({ "name": "dent" }));
    assert_eq!((named.status, seq()), (200, before + 1));
}
