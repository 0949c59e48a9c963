//! Each rule of shape inference, and what it says when it is broken.

use super::*;

fn shapes(weights: &[(&str, &[usize])]) -> BTreeMap<String, Vec<usize>> {
    weights.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
}

/// Adds `op` to the network's input and compares the shape, or the message.
#[track_caller]
fn check(input: GraphInput, weights: &[(&str, &[usize])], op: Op, expect: &str) {
    let weights = shapes(weights);
    let mut builder = GraphBuilder::new(input, &weights);
    let got = match builder.push("it", op, &[ValueId::INPUT]) {
        Ok(value) => builder.shape(value).to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(got, expect);
}

const IMAGE: GraphInput = GraphInput::Image { channels: 3, height: 5, width: 8 };
const TOKENS: GraphInput = GraphInput::Tokens { max_tokens: 16 };

fn conv(stride: usize, padding: Padding) -> Op {
    Op::Conv2d { weight: "w".into(), bias: None, stride, padding, groups: 1, activation: Activation::None }
}

#[test]
fn convolution_shapes() {
    let same = Padding::same_upper((5, 8), 3, 2);
    assert_eq!(same, Padding { top: 1, left: 0, bottom: 1, right: 1 });
    check(IMAGE, &[("w", &[7, 3, 3, 3])], conv(2, same), "map [7, 3, 4]");
    check(IMAGE, &[("w", &[7, 3, 3, 3])], conv(1, Padding::default()), "map [7, 3, 6]");
    check(
        IMAGE,
        &[("w", &[7, 4, 3, 3])],
        conv(1, same),
        "`it`: weight `w` is [7, 4, 3, 3], expected [multiple of 1, 3, kh, kw]",
    );
    check(
        IMAGE,
        &[("w", &[7, 3, 9, 9])],
        conv(1, Padding::default()),
        "`it`: a 9x9 kernel does not fit a 5x8 map",
    );
    check(IMAGE, &[], conv(1, same), "`it` needs the weight `w`, which is missing");
    check(TOKENS, &[], conv(1, same), "`it`: input 0 is tokens [t], expected a map");
    check(IMAGE, &[("w", &[7, 3, 3, 3])], conv(0, same), "`it`: stride 0 and groups 1 do not fit 3 channels");
}

#[test]
fn same_upper_keeps_ceil_of_size_over_stride() {
    for size in 1..40 {
        for kernel in [1, 3, 5] {
            for stride in [1, 2] {
                let padding = Padding::same_upper((size, size), kernel, stride);
                assert_eq!(
                    (size + padding.top + padding.bottom - kernel) / stride + 1,
                    size.div_ceil(stride),
                    "{size} {kernel} {stride}"
                );
                assert!(padding.bottom == padding.top || padding.bottom == padding.top + 1);
            }
        }
    }
}

#[test]
fn one_input_shapes() {
    check(IMAGE, &[], Op::GlobalAvgPool, "vector [3]");
    check(IMAGE, &[], Op::FlattenPatches, "rows [40, 3]");
    check(TOKENS, &[("e", &[100, 6])], Op::Embedding { table: "e".into() }, "rows [t, 6]");
    check(
        IMAGE,
        &[("e", &[100, 6])],
        Op::Embedding { table: "e".into() },
        "`it`: input 0 is map [3, 5, 8], expected tokens",
    );
    check(IMAGE, &[], Op::MeanRows, "`it`: input 0 is map [3, 5, 8], expected rows");
    check(IMAGE, &[], Op::Add, "`it` got 1 inputs, expected 2");
}

#[test]
fn rows_keep_or_change_their_number() {
    let weights = shapes(&[("cls", &[1, 3]), ("positions", &[41, 3]), ("linear", &[4, 3]), ("few", &[3, 3])]);
    let mut builder = GraphBuilder::new(IMAGE, &weights);
    let patches = builder.push("patches", Op::FlattenPatches, &[ValueId::INPUT]).unwrap();
    let tokens = builder.push("cls", Op::PrependRows { rows: "cls".into() }, &[patches]).unwrap();
    let placed = builder
        .push("positions", Op::AddPositions { table: "positions".into(), first: 0 }, &[tokens])
        .unwrap();
    assert_eq!(builder.shape(placed).to_string(), "rows [41, 3]");
    let linear = Op::Linear { weight: "linear".into(), bias: None, activation: Activation::Gelu };
    let wide = builder.push("linear", linear, &[placed]).unwrap();
    assert_eq!(builder.shape(wide).to_string(), "rows [41, 4]");
    let dropped = builder.push("drop", Op::DropRows(1), &[wide]).unwrap();
    assert_eq!(builder.shape(dropped).to_string(), "rows [40, 4]");
    let too_few =
        builder.push("few", Op::AddPositions { table: "few".into(), first: 0 }, &[tokens]).unwrap_err();
    assert_eq!(too_few.to_string(), "`few`: weight `few` is [3, 3], expected at least 41 rows");
    let uneven = builder
        .push("heads", Op::Attention { heads: 2, sight: Sight::All }, &[tokens, tokens, tokens])
        .unwrap_err();
    assert_eq!(uneven.to_string(), "`heads`: 2 heads do not divide 3");
    let unlike = builder
        .push("attention", Op::Attention { heads: 1, sight: Sight::All }, &[tokens, patches, tokens])
        .unwrap_err();
    assert_eq!(unlike.to_string(), "`attention`: input 1 is rows [40, 3], expected rows [41, 3]");
}

#[test]
fn rows_get_neighbours_and_join_their_like() {
    let weights = shapes(&[]);
    let mut builder = GraphBuilder::new(IMAGE, &weights);
    let patches = builder.push("patches", Op::FlattenPatches, &[ValueId::INPUT]).unwrap();
    let window = builder.push("window", Op::WindowRows { before: 1, after: 2 }, &[patches]).unwrap();
    assert_eq!(builder.shape(window).to_string(), "rows [40, 12]");
    let both = builder.push("both", Op::Concat, &[patches, window]).unwrap();
    assert_eq!(builder.shape(both).to_string(), "rows [40, 15]");
    let mean = builder.push("mean", Op::MeanRows, &[both]).unwrap();
    let root = builder.push("root", Op::TimesRootRows, &[patches, mean]).unwrap();
    assert_eq!(builder.shape(root).to_string(), "vector [15]");
    let fewer = builder.push("fewer", Op::DropRows(1), &[patches]).unwrap();
    let columns = builder.push("columns", Op::TakeColumns { first: 3, count: 12 }, &[both]).unwrap();
    assert_eq!(builder.shape(columns).to_string(), "rows [40, 12]");
    let mut refused = |op, inputs: &[ValueId]| builder.push("it", op, inputs).unwrap_err().to_string();
    assert_eq!(
        refused(Op::Concat, &[patches, fewer]),
        "`it`: input 1 is rows [39, 3], expected as many rows as the first"
    );
    assert_eq!(
        refused(Op::Concat, &[patches, mean]),
        "`it`: input 1 is vector [15], expected as many rows as the first"
    );
    let beyond = Op::TakeColumns { first: 4, count: 12 };
    assert_eq!(refused(beyond, &[both]), "`it`: there are no 12 columns from 4 on in 15");
    assert_eq!(refused(Op::TimesRootRows, &[mean, mean]), "`it`: input 0 is vector [15], expected rows");
}

#[test]
fn a_graph_needs_unique_names_and_an_output() {
    let weights = shapes(&[]);
    let mut builder = GraphBuilder::new(IMAGE, &weights);
    let pooled = builder.push("pool", Op::GlobalAvgPool, &[ValueId::INPUT]).unwrap();
    assert_eq!(
        builder.push("pool", Op::L2Normalize, &[pooled]).unwrap_err(),
        GraphError::DuplicateName { name: "pool".into() }
    );
    assert_eq!(
        builder.push("later", Op::L2Normalize, &[ValueId(9)]).unwrap_err(),
        GraphError::UnknownValue { node: "later".into(), value: 9 }
    );
    let map = builder.output("image", ValueId::INPUT).unwrap_err();
    assert_eq!(map.to_string(), "output `image` is map [3, 5, 8], expected a vector or rows");
    assert_eq!(builder.finish().unwrap_err(), GraphError::NoOutput);
}

#[test]
fn unneeded_nodes_go_with_their_output() {
    let weights = shapes(&[]);
    let mut builder = GraphBuilder::new(IMAGE, &weights);
    let patches = builder.push("patches", Op::FlattenPatches, &[ValueId::INPUT]).unwrap();
    let pooled = builder.push("pool", Op::GlobalAvgPool, &[ValueId::INPUT]).unwrap();
    let both = builder.push("both", Op::Concat, &[pooled, pooled]).unwrap();
    builder.output("patches", patches).unwrap();
    builder.output("both", both).unwrap();
    let graph = builder.finish().unwrap();
    let kept = graph.with_outputs(&["both"]).unwrap();
    assert_eq!(kept.nodes().iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["pool", "both"]);
    assert_eq!(kept.outputs(), [("both".to_owned(), ValueId(2))]);
    assert_eq!(kept.nodes()[1].inputs, [ValueId(1), ValueId(1)]);
    assert_eq!(
        graph.with_outputs(&["x"]).unwrap_err().to_string(),
        "no output `x`; there are [\"patches\", \"both\"]"
    );
}
