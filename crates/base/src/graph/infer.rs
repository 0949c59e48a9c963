//! The shape that each operation makes, and what it insists on.

use super::{Graph, GraphError, Node, Op, Padding, RowCount, Shape, ValueId, WeightShapes};

/// The shape of the value that `node` makes when it is added to `graph`.
pub(super) fn shape_of_node(
    node: &Node,
    graph: &Graph,
    weights: &dyn WeightShapes,
) -> Result<Shape, GraphError> {
    for ValueId(value) in &node.inputs {
        if *value >= graph.shapes.len() {
            return Err(GraphError::UnknownValue { node: node.name.clone(), value: *value });
        }
    }
    let shapes: Vec<Shape> = node.inputs.iter().map(|value| graph.shape(*value)).collect();
    Check { node, shapes: &shapes, weights }.infer()
}

/// A node beside the shapes that flow into it.
struct Check<'a> {
    node: &'a Node,
    shapes: &'a [Shape],
    weights: &'a dyn WeightShapes,
}

impl Check<'_> {
    fn infer(&self) -> Result<Shape, GraphError> {
        match &self.node.op {
            Op::Conv2d { weight, bias, stride, padding, groups, .. } => {
                self.conv2d((weight, bias.as_deref()), *stride, *padding, *groups)
            }
            Op::Linear { weight, bias, .. } => self.linear(weight, bias.as_deref()),
            Op::LayerNorm { gamma, beta, .. } => self.per_column(&[gamma, beta]),
            Op::Scale { gamma } => self.per_column(&[gamma]),
            Op::L2Normalize => self.per_column(&[]),
            Op::Add => self.add(),
            Op::Attention { heads, .. } => self.attention(*heads),
            Op::Embedding { table } => self.embedding(table),
            Op::AddPositions { table, first } => self.add_positions(table, *first),
            Op::GlobalAvgPool => self.map().map(|[channels, ..]| Shape::Vector { dim: channels }),
            Op::FlattenPatches => self.map().map(|[channels, height, width]| Shape::Rows {
                rows: RowCount::Fixed(height * width),
                dim: channels,
            }),
            Op::PrependRows { rows } => self.prepend_rows(rows),
            Op::TakeRow(index) => self.take_row(*index),
            Op::DropRows(count) => self.drop_rows(*count),
            Op::MeanRows | Op::TakeLastRow => self.rows().map(|(_, dim)| Shape::Vector { dim }),
            Op::PowerMeanRows { power } => self.power_mean(*power),
            Op::Concat => self.concat(),
            Op::WindowRows { before, after } => {
                self.rows().map(|(rows, dim)| Shape::Rows { rows, dim: (before + 1 + after) * dim })
            }
            Op::TakeColumns { first, count } => self.take_columns(*first, *count),
            Op::TimesRootRows => self.times_root_rows(),
        }
    }

    fn conv2d(
        &self,
        (weight, bias): (&str, Option<&str>),
        stride: usize,
        padding: Padding,
        groups: usize,
    ) -> Result<Shape, GraphError> {
        let [channels, height, width] = self.map()?;
        if stride == 0 || groups == 0 || channels % groups != 0 {
            return Err(
                self.setting(format!("stride {stride} and groups {groups} do not fit {channels} channels"))
            );
        }
        let kernel = self.weight(weight)?;
        let [out, per_group, rows, columns] = kernel[..] else {
            return Err(self.weight_shape(weight, "[out, in / groups, kh, kw]"));
        };
        if per_group != channels / groups || out % groups != 0 || rows * columns == 0 {
            return Err(
                self.weight_shape(weight, &format!("[multiple of {groups}, {}, kh, kw]", channels / groups))
            );
        }
        self.expect_vector(bias, out)?;
        let (padded_height, padded_width) =
            (height + padding.top + padding.bottom, width + padding.left + padding.right);
        if padded_height < rows || padded_width < columns {
            return Err(self.setting(format!(
                "a {rows}x{columns} kernel does not fit a {padded_height}x{padded_width} map"
            )));
        }
        Ok(Shape::Map {
            channels: out,
            height: (padded_height - rows) / stride + 1,
            width: (padded_width - columns) / stride + 1,
        })
    }

    fn linear(&self, weight: &str, bias: Option<&str>) -> Result<Shape, GraphError> {
        let (shape, dim) = self.rows_or_vector()?;
        match self.weight(weight)?[..] {
            [out, inner] if inner == dim => {
                self.expect_vector(bias, out)?;
                Ok(match shape {
                    Shape::Rows { rows, .. } => Shape::Rows { rows, dim: out },
                    _ => Shape::Vector { dim: out },
                })
            }
            _ => Err(self.weight_shape(weight, &format!("[out, {dim}]"))),
        }
    }

    fn per_column(&self, weights: &[&String]) -> Result<Shape, GraphError> {
        let (shape, dim) = self.rows_or_vector()?;
        weights.iter().try_for_each(|weight| self.expect_vector(Some(weight), dim))?;
        Ok(shape)
    }

    fn add(&self) -> Result<Shape, GraphError> {
        let [left, right] = self.inputs("2")?;
        match left {
            Shape::Tokens => Err(self.input_shape(0, "a map, rows or a vector")),
            _ if left == right => Ok(left),
            _ => Err(self.input_shape(1, &left.to_string())),
        }
    }

    fn attention(&self, heads: usize) -> Result<Shape, GraphError> {
        let [query, ..]: [Shape; 3] = self.inputs("3 (queries, keys, values)")?;
        let Shape::Rows { dim, .. } = query else { return Err(self.input_shape(0, "rows")) };
        if let Some(index) = self.shapes.iter().position(|shape| *shape != query) {
            return Err(self.input_shape(index, &query.to_string()));
        }
        if heads == 0 || dim % heads != 0 {
            return Err(self.setting(format!("{heads} heads do not divide {dim}")));
        }
        Ok(query)
    }

    fn embedding(&self, table: &str) -> Result<Shape, GraphError> {
        let [Shape::Tokens] = self.inputs("1")? else { return Err(self.input_shape(0, "tokens")) };
        let [_, dim] = self.matrix(table)?;
        Ok(Shape::Rows { rows: RowCount::Tokens, dim })
    }

    fn add_positions(&self, table: &str, first: usize) -> Result<Shape, GraphError> {
        let (rows, dim) = self.rows()?;
        let [positions, width] = self.matrix(table)?;
        match rows {
            _ if width != dim => Err(self.weight_shape(table, &format!("[positions, {dim}]"))),
            RowCount::Fixed(count) if first + count > positions => {
                Err(self.weight_shape(table, &format!("at least {} rows", first + count)))
            }
            _ => Ok(Shape::Rows { rows, dim }),
        }
    }

    fn prepend_rows(&self, weight: &str) -> Result<Shape, GraphError> {
        let (count, dim) = self.fixed_rows()?;
        match self.matrix(weight)? {
            [more, width] if width == dim => Ok(Shape::Rows { rows: RowCount::Fixed(count + more), dim }),
            _ => Err(self.weight_shape(weight, &format!("[n, {dim}]"))),
        }
    }

    fn take_row(&self, index: usize) -> Result<Shape, GraphError> {
        let (rows, dim) = self.rows()?;
        // A token network always gets at least one token.
        let at_least = if let RowCount::Fixed(count) = rows { count } else { 1 };
        if index >= at_least {
            Err(self.setting(format!("there is no row {index}")))
        } else {
            Ok(Shape::Vector { dim })
        }
    }

    fn drop_rows(&self, dropped: usize) -> Result<Shape, GraphError> {
        let (count, dim) = self.fixed_rows()?;
        match count.checked_sub(dropped) {
            None | Some(0) => Err(self.setting(format!("dropping {dropped} of {count} rows leaves none"))),
            Some(left) => Ok(Shape::Rows { rows: RowCount::Fixed(left), dim }),
        }
    }

    fn power_mean(&self, power: f32) -> Result<Shape, GraphError> {
        let (_, dim) = self.rows()?;
        if power >= 1.0 && power.is_finite() {
            Ok(Shape::Vector { dim })
        } else {
            Err(self.setting(format!("power {power} is not in [1, inf)")))
        }
    }

    fn concat(&self) -> Result<Shape, GraphError> {
        if self.shapes.is_empty() {
            return Err(self.input_count("at least 1"));
        }
        let number = if let Shape::Rows { rows, .. } = self.shapes[0] { Some(rows) } else { None };
        let dims = self.shapes.iter().enumerate().map(|(index, shape)| match (shape, number) {
            (Shape::Vector { dim }, None) => Ok(*dim),
            (Shape::Rows { rows, dim }, Some(number)) if *rows == number => Ok(*dim),
            (_, None) => Err(self.input_shape(index, "a vector")),
            (_, Some(_)) => Err(self.input_shape(index, "as many rows as the first")),
        });
        let dim = dims.sum::<Result<usize, _>>()?;
        Ok(number.map_or(Shape::Vector { dim }, |rows| Shape::Rows { rows, dim }))
    }

    fn take_columns(&self, first: usize, count: usize) -> Result<Shape, GraphError> {
        let (shape, dim) = self.rows_or_vector()?;
        if count == 0 || first.checked_add(count).is_none_or(|end| end > dim) {
            return Err(self.setting(format!("there are no {count} columns from {first} on in {dim}")));
        }
        Ok(match shape {
            Shape::Rows { rows, .. } => Shape::Rows { rows, dim: count },
            _ => Shape::Vector { dim: count },
        })
    }

    fn times_root_rows(&self) -> Result<Shape, GraphError> {
        match self.inputs("2 (rows, vector)")? {
            [Shape::Rows { .. }, vector @ Shape::Vector { .. }] => Ok(vector),
            [Shape::Rows { .. }, _] => Err(self.input_shape(1, "a vector")),
            _ => Err(self.input_shape(0, "rows")),
        }
    }

    // What a node may ask of its inputs and weights.

    fn inputs<const N: usize>(&self, expected: &'static str) -> Result<[Shape; N], GraphError> {
        self.shapes.try_into().map_err(|_| self.input_count(expected))
    }

    fn map(&self) -> Result<[usize; 3], GraphError> {
        match self.inputs("1")? {
            [Shape::Map { channels, height, width }] => Ok([channels, height, width]),
            [_] => Err(self.input_shape(0, "a map")),
        }
    }

    fn rows(&self) -> Result<(RowCount, usize), GraphError> {
        match self.inputs("1")? {
            [Shape::Rows { rows, dim }] => Ok((rows, dim)),
            [_] => Err(self.input_shape(0, "rows")),
        }
    }

    fn fixed_rows(&self) -> Result<(usize, usize), GraphError> {
        match self.rows()? {
            (RowCount::Fixed(count), dim) => Ok((count, dim)),
            (RowCount::Tokens, _) => Err(self.input_shape(0, "a fixed number of rows")),
        }
    }

    fn rows_or_vector(&self) -> Result<(Shape, usize), GraphError> {
        match self.inputs("1")? {
            [shape @ (Shape::Rows { dim, .. } | Shape::Vector { dim })] => Ok((shape, dim)),
            [_] => Err(self.input_shape(0, "rows or a vector")),
        }
    }

    fn weight(&self, weight: &str) -> Result<&[usize], GraphError> {
        let missing =
            || GraphError::MissingWeight { node: self.node.name.clone(), weight: weight.to_owned() };
        self.weights.shape_of(weight).ok_or_else(missing)
    }

    fn matrix(&self, weight: &str) -> Result<[usize; 2], GraphError> {
        match *self.weight(weight)? {
            [rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
            _ => Err(self.weight_shape(weight, "[rows, columns]")),
        }
    }

    fn expect_vector(&self, weight: Option<&str>, len: usize) -> Result<(), GraphError> {
        match weight {
            Some(weight) if self.weight(weight)? != [len] => {
                Err(self.weight_shape(weight, &format!("[{len}]")))
            }
            _ => Ok(()),
        }
    }

    // Errors that name the node.

    fn weight_shape(&self, weight: &str, expected: &str) -> GraphError {
        let got = self.weights.shape_of(weight).unwrap_or_default().to_vec();
        GraphError::WeightShape {
            node: self.node.name.clone(),
            weight: weight.to_owned(),
            got,
            expected: expected.to_owned(),
        }
    }

    fn input_shape(&self, index: usize, expected: &str) -> GraphError {
        GraphError::InputShape {
            node: self.node.name.clone(),
            index,
            got: self.shapes[index],
            expected: expected.to_owned(),
        }
    }

    fn input_count(&self, expected: &'static str) -> GraphError {
        GraphError::InputCount { node: self.node.name.clone(), got: self.shapes.len(), expected }
    }

    fn setting(&self, detail: String) -> GraphError {
        GraphError::Setting { node: self.node.name.clone(), detail }
    }
}
