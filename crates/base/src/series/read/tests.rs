use super::*;

fn parsed(text: &str) -> Result<(Series, Vec<Fault>), SeriesError> {
    let path = Path::new("s.csv");
    let table = |source| SeriesError::Table { source };
    let (table, problems) = dataset::read::parse_separated(path, text.as_bytes()).map_err(table)?;
    from_table(table, &problems)
}

/// Names of the channels, times and rate.
#[track_caller]
fn check(text: &str, names: &[&str], times: Option<&[f64]>, rate: Option<f64>) {
    let (series, _) = parsed(text).unwrap();
    let got: Vec<&str> = series.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(got, names, "{text}");
    assert_eq!(series.times.as_deref(), times, "{text}");
    assert_eq!(series.rate.map(|rate| (rate * 1e6).round() / 1e6), rate, "{text}");
}

#[test]
fn the_clock_is_known_by_its_name_and_by_running_on() {
    let ticks: &[f64] = &[0.0, 1.0, 2.0];
    check("time,a,b\n0,1,2\n1,3,4\n2,5,6\n", &["a", "b"], Some(ticks), Some(1.0));
    check("a;时间(ms)\n1;0\n2;1000\n3;2000\n", &["a"], Some(ticks), Some(1.0));
    check("序号\ta\n0\t5\n1\t5\n2\t5\n", &["a"], Some(ticks), None);
    check("index,t,a\n7,0,1\n8,1,1\n9,2,1\n", &["a"], Some(ticks), Some(1.0));
    check(",a\n0,5\n1,5\n2,5\n", &["a"], Some(ticks), None);
    check("T,a\n0,5\n1,5\n2,5\n", &["T", "a"], None, None);
    check("time,a\n5,1\n3,2\n4,1\n1,1\n", &["time", "a"], None, None);
}

#[test]
fn dates_and_counts_since_1970_are_times() {
    let text = "timestamp,a\n2024-01-01 00:00:00.0,1\n2024-01-01 00:00:00.5,2\n2024-01-01 00:00:01.0,3\n";
    let (series, faults) = parsed(text).unwrap();
    assert_eq!((series.rate, faults), (Some(2.0), Vec::new()));
    let (series, _) = parsed("timestamp,a\n1700000000000,1\n1700000000020,2\n").unwrap();
    assert!((series.rate.unwrap() - 50.0).abs() < 1e-3);
}

#[test]
fn a_header_may_be_missing() {
    check("0.5,7\n1.0,9\n1.5,3\n", &["channel 2"], Some(&[0.5, 1.0, 1.5]), Some(2.0));
    check("1,7\n2,9\n3,3\n", &["channel 2"], Some(&[1.0, 2.0, 3.0]), None);
    check("4,7\n2,9\n3,3\n", &["channel 1", "channel 2"], None, None);
    check("0,1\n4,9\n3,3\n", &["0", "1"], None, None);
    let (series, _) = parsed("4,7\n2,9\n3,3\n").unwrap();
    assert_eq!(series.channels[0].values, [4.0, 2.0, 3.0]);
}

#[test]
fn text_is_told_with_its_place() {
    let (series, faults) = parsed("a,b\n1,2\nERR,3\nNaN,4\n,5\noff,1\n").unwrap();
    let told = Fault::NotNumbers { channel: "a".into(), count: 2, row: 3, value: "ERR".into() };
    assert_eq!(faults, [told]);
    assert_eq!(series.channels[0].values.iter().filter(|value| value.is_nan()).count(), 4);
}

#[test]
fn a_column_of_text_is_left_out_and_told() {
    let (series, faults) = parsed("time,a,state\n0,1,idle\n1,2,busy\n").unwrap();
    assert_eq!((series.channels.len(), series.rate), (1, Some(1.0)));
    assert_eq!(faults, [Fault::TextColumn { channel: "state".into(), row: 2, value: "idle".into() }]);
    let error = parsed("time,state\n0,idle\n1,busy\n").unwrap_err().to_string();
    assert!(error.contains("row 2") && error.contains("`state`") && error.contains("`idle`"), "{error}");
}

#[test]
fn a_date_and_a_time_of_day_are_one_clock() {
    let text = "date,time,a\n2024-01-31,23:59:59,1\n2024-02-01,00:00:00,2\n2024-02-01,00:00:01,3\n";
    let start = 1_706_745_599.0;
    check(text, &["a"], Some(&[start, start + 1.0, start + 2.0]), Some(1.0));
    // The day of the start only, or none at all.
    let of_start = "Time;Date;a\n23:59:59;31.01.2024;1\n00:00:00;31.01.2024;2\n00:00:01;31.01.2024;3\n";
    check(of_start, &["a"], Some(&[start, start + 1.0, start + 2.0]), Some(1.0));
    let without = "time,a\n23:59:59,1\n00:00:00,2\n00:00:01,3\n";
    check(without, &["a"], Some(&[86_399.0, 86_400.0, 86_401.0]), Some(1.0));
    // A date that stands still says nothing beside another clock, and is no sensor.
    check("date,ms,a\n2024-01-31,0,1\n2024-01-31,500,2\n", &["a"], Some(&[0.0, 0.5]), Some(2.0));
    check("日期,a\n2024-01-31,1\n2024-01-31,2\n", &["a"], None, None);
}

#[test]
fn months_may_stand_first_and_commas_for_points() {
    let text = "timestamp,a\n01/31/2024 09:00:00,1\n01/31/2024 09:00:02,2\n01/31/2024 09:00:04,3\n";
    let (series, faults) = parsed(text).unwrap();
    assert_eq!((series.rate, faults), (Some(0.5), Vec::new()));
    for text in ["time;a\n0,0;1,5\n0,5;-2\n1,0;3,25\n", "time\ta\n0,0\t1,5\n0,5\t-2\n1,0\t3,25\n"] {
        check(text, &["a"], Some(&[0.0, 0.5, 1.0]), Some(2.0));
        assert_eq!(parsed(text).unwrap().0.channels[0].values, [1.5, -2.0, 3.25]);
    }
    // Where commas part the cells one of them is no point.
    let (_, faults) = parsed("time,a,b\n0,\"1,500\",1\n1,2,1\n").unwrap();
    assert!(matches!(&faults[..], [Fault::NotNumbers { count: 1, .. }]), "{faults:?}");
}

#[test]
fn broken_rows_keep_their_place_and_rows_without_time_are_left_out() {
    let (series, faults) = parsed("a,b\n1,2\n3\n5,6\n").unwrap();
    assert_eq!(faults, [Fault::BrokenRows { count: 1, row: 3 }]);
    assert!(series.channels[0].values[1].is_nan() && series.len() == 3);
    let (series, faults) = parsed("time,a\n0,1\n,2\n2,3\n3,4\n").unwrap();
    assert_eq!(faults, [Fault::NoTime { count: 1, row: 3 }]);
    assert_eq!(series.channels[0].values, [1.0, 3.0, 4.0]);
}

#[test]
fn what_is_no_series_is_an_error() {
    assert!(matches!(parsed("").unwrap_err(), SeriesError::Table { .. }));
    assert!(matches!(parsed("a,b\n1,2\n").unwrap_err(), SeriesError::TooShort { got: 1, .. }));
    assert!(matches!(parsed("time\n1\n2\n").unwrap_err(), SeriesError::NoChannel));
    assert!(matches!(parsed("a,a\n1,2\n3,4\n").unwrap_err(), SeriesError::SameName { .. }));
    let wide = |cell: &str| vec![cell; MAX_CHANNELS + 1].join(",");
    let error = parsed(&format!("{}\n{}\n{}\n", wide("1"), wide("5"), wide("7"))).unwrap_err();
    assert!(matches!(error, SeriesError::TooMuch { what: "sensors", .. }), "{error}");
}
