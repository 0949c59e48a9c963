//! Collects ONNX nodes, initializers and constants, each under a name used once.

use std::collections::BTreeSet;

use half::f16;

use crate::onnx::{
    AttributeProto, DimensionProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, ValueInfoProto, attribute_type, data_type,
};

/// The name of an ONNX value.
pub(super) type Name = String;

/// A length in an input's or output's shape.
#[derive(Debug, Clone, Copy)]
pub(super) enum Dim {
    /// Known when the file is written.
    Fixed(usize),
    /// Known when it runs, under this name.
    Dynamic(&'static str),
}

/// A graph that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    graph: GraphProto,
    written: BTreeSet<Name>,
    /// Put before the names of new values: what part of the network they belong to.
    pub(super) scope: String,
}

impl Writer {
    /// An empty graph whose first values belong to `scope`.
    pub(super) fn new(scope: &str) -> Self {
        Self { scope: scope.to_owned(), ..Self::default() }
    }

    /// Adds a node of one output and returns that output's name.
    pub(super) fn node(&mut self, op_type: &str, inputs: &[&Name], attributes: Vec<AttributeProto>) -> Name {
        let name = format!("{}/{op_type}.{}", self.scope, self.graph.node.len());
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|input| (*input).clone()).collect(),
            output: vec![name.clone()],
            name: Some(name.clone()),
            op_type: Some(op_type.to_owned()),
            attribute: attributes,
        });
        name
    }

    /// Adds a node of two outputs and returns the first's name.
    pub(super) fn first_of_two(
        &mut self,
        op_type: &str,
        inputs: &[&Name],
        attributes: Vec<AttributeProto>,
    ) -> Name {
        let name = self.node(op_type, inputs, attributes);
        let node = self.graph.node.last_mut().expect("a node was just added");
        node.output.push(format!("{name}.second"));
        name
    }

    /// A name in the current scope that no tensor has.
    pub(super) fn fresh(&self, what: &str) -> Name {
        format!("{}/{what}.{}.{}", self.scope, self.graph.node.len(), self.graph.initializer.len())
    }

    /// Writes an f32 tensor once and returns its name; `values` is asked only the first time.
    pub(super) fn tensor<'v>(
        &mut self,
        name: Name,
        shape: &[usize],
        values: impl FnOnce() -> std::borrow::Cow<'v, [f32]>,
    ) -> Name {
        if self.written.insert(name.clone()) {
            let bytes = values().iter().flat_map(|value| value.to_le_bytes()).collect();
            self.initializer(&name, shape, data_type::FLOAT, bytes);
        }
        name
    }

    /// Writes numbers that half precision holds exactly as such, under a fresh name; gives them as f32.
    pub(super) fn halves(&mut self, shape: &[usize], values: &[f32]) -> Name {
        let name = self.fresh("halves");
        let bytes = values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
        self.initializer(&name, shape, data_type::FLOAT16, bytes);
        self.node("Cast", &[&name], vec![int("to", i64::from(data_type::FLOAT))])
    }

    /// A number, `[]`.
    pub(super) fn number(&mut self, value: f32) -> Name {
        self.tensor(format!("const/{value:?}"), &[], || vec![value].into())
    }

    /// Whole numbers, `[len]`, that are too many to be a name; under a fresh one.
    pub(super) fn long_integers(&mut self, values: &[usize]) -> Name {
        let name = self.fresh("places");
        let bytes = values.iter().flat_map(|value| (*value as i64).to_le_bytes()).collect();
        self.initializer(&name, &[values.len()], data_type::INT64, bytes);
        name
    }

    /// Whole numbers, `[len]`, for shapes, axes and slices.
    pub(super) fn integers(&mut self, values: &[i64]) -> Name {
        let name = format!("const/{values:?}");
        if self.written.insert(name.clone()) {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            self.initializer(&name, &[values.len()], data_type::INT64, bytes);
        }
        name
    }

    /// A whole number, `[]`.
    pub(super) fn integer(&mut self, value: i64) -> Name {
        let name = format!("const/{value}");
        if self.written.insert(name.clone()) {
            self.initializer(&name, &[], data_type::INT64, value.to_le_bytes().to_vec());
        }
        name
    }

    fn initializer(&mut self, name: &str, shape: &[usize], data_type: i32, bytes: Vec<u8>) {
        self.graph.initializer.push(TensorProto {
            dims: shape.iter().map(|len| *len as i64).collect(),
            data_type: Some(data_type),
            name: Some(name.to_owned()),
            raw_data: Some(bytes),
        });
    }

    /// Declares an input of the model.
    pub(super) fn input(&mut self, name: &str, data_type: i32, shape: &[Dim]) -> Name {
        self.graph.input.push(value_info(name, data_type, shape));
        name.to_owned()
    }

    /// Declares an output of the model, under a name of its own.
    pub(super) fn output(&mut self, name: &str, value: &Name, data_type: i32, shape: &[Dim]) {
        self.graph.node.push(NodeProto {
            input: vec![value.clone()],
            output: vec![name.to_owned()],
            name: Some(format!("output/{name}")),
            op_type: Some("Identity".to_owned()),
            attribute: Vec::new(),
        });
        self.graph.output.push(value_info(name, data_type, shape));
    }

    /// True when the model has an input or output of that name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.graph.output.iter().chain(&self.graph.input).any(|have| have.name.as_deref() == Some(name))
    }

    pub(super) fn finish(self, name: &str) -> GraphProto {
        GraphProto { name: Some(name.to_owned()), ..self.graph }
    }
}

fn value_info(name: &str, elem_type: i32, shape: &[Dim]) -> ValueInfoProto {
    let dim = |dim: &Dim| match dim {
        Dim::Fixed(len) => DimensionProto { dim_value: Some(*len as i64), dim_param: None },
        Dim::Dynamic(name) => DimensionProto { dim_value: None, dim_param: Some((*name).to_owned()) },
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor = TensorTypeProto { elem_type: Some(elem_type), shape: Some(shape) };
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}

/// An integer attribute.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        i: Some(value),
        r#type: Some(attribute_type::INT),
        ..Default::default()
    }
}

/// A list of integers.
pub(super) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        ints: values.to_vec(),
        r#type: Some(attribute_type::INTS),
        ..Default::default()
    }
}

/// A floating-point attribute.
pub(super) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        f: Some(value),
        r#type: Some(attribute_type::FLOAT),
        ..Default::default()
    }
}
