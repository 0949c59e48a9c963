//! The stack machine.

use std::collections::BTreeMap;

use super::super::reader::utf8;
use super::opcode::Opcode;
use super::{Fault, Global, Limits, Node, NodeId, Pickle, Reader};

/// Runs until the stop mark. Each opcode adds at most one node, one stack entry and one memo entry, so that the limit
/// on nodes and the length of the file bound everything.
pub(super) fn run(reader: &mut Reader<'_>, limits: &Limits) -> Result<Pickle, Fault> {
    let mut machine = Machine { limit: limits.objects, ..Machine::default() };
    loop {
        let opcode = Opcode::from_byte(reader.u8("a pickle")?)?;
        if opcode == Opcode::Stop {
            let top = machine.pop()?;
            return Ok(Pickle { nodes: machine.nodes, top });
        }
        machine.step(opcode, reader)?;
        if machine.stack.len() > machine.limit {
            return Err(Fault::Limit {
                what: "entries on the stack of a pickle",
                limit: machine.limit as u64,
            });
        }
    }
}

#[derive(Default)]
struct Machine {
    nodes: Vec<Node>,
    stack: Vec<NodeId>,
    /// Stack heights at which marks stand.
    marks: Vec<usize>,
    memo: BTreeMap<u32, NodeId>,
    limit: usize,
}

impl Machine {
    fn step(&mut self, opcode: Opcode, reader: &mut Reader<'_>) -> Result<(), Fault> {
        use Opcode as Op;
        match opcode {
            Op::Proto => match reader.u8("the protocol")? {
                2..=5 => Ok(()),
                version => Err(Fault::malformed(format!("pickle protocol {version}, known are 2 to 5"))),
            },
            Op::Frame => reader.u64("a frame").map(|_| ()),
            Op::Mark => self.mark(),
            Op::Pop => self.pop().map(|_| ()),
            Op::PopMark => self.pop_to_mark().map(|_| ()),
            Op::BinPut => self.put(reader.u8("a memo index")?.into()),
            Op::LongBinPut => self.put(reader.u32("a memo index")?),
            Op::Memoize => self.put(self.memo.len() as u32),
            Op::BinGet => self.recall(reader.u8("a memo index")?.into()),
            Op::LongBinGet => self.recall(reader.u32("a memo index")?),
            Op::Append | Op::Appends | Op::SetItem | Op::SetItems => self.fill(opcode),
            Op::Reduce => self.reduce(),
            // The state of an ordered dictionary or a parameter: attributes that no weight lives in.
            Op::Build => self.pop().map(|_| ()),
            _ => {
                let node = self.make(opcode, reader)?;
                self.push(node)
            }
        }
    }

    /// The opcodes that push one new object.
    fn make(&mut self, opcode: Opcode, reader: &mut Reader<'_>) -> Result<Node, Fault> {
        use Opcode as Op;
        Ok(match opcode {
            Op::NewTrue => Node::Bool(true),
            Op::NewFalse => Node::Bool(false),
            Op::BinInt => Node::Int(reader.i32("a number")?.into()),
            Op::BinInt1 => Node::Int(reader.u8("a number")?.into()),
            Op::BinInt2 => Node::Int(reader.u16("a number")?.into()),
            Op::Long1 => Node::Int(long(reader)?),
            Op::BinFloat => Node::Float(f64::from_be_bytes(reader.array("a number")?)),
            Op::BinUnicode => {
                let len = reader.u32("a text")? as usize;
                Node::Text(utf8(reader.take(len, "a text")?)?.to_owned())
            }
            Op::ShortBinUnicode => {
                let len = reader.u8("a text")? as usize;
                Node::Text(utf8(reader.take(len, "a text")?)?.to_owned())
            }
            Op::ShortBinBytes => {
                let len = reader.u8("bytes")? as usize;
                Node::Bytes(reader.take(len, "bytes")?.to_vec())
            }
            Op::BinBytes => {
                let len = reader.u32("bytes")? as usize;
                Node::Bytes(reader.take(len, "bytes")?.to_vec())
            }
            Op::EmptyTuple => Node::Tuple(Vec::new()),
            Op::Tuple => Node::Tuple(self.pop_to_mark()?),
            Op::Tuple1 => Node::Tuple(self.pop_last(1)?),
            Op::Tuple2 => Node::Tuple(self.pop_last(2)?),
            Op::Tuple3 => Node::Tuple(self.pop_last(3)?),
            Op::EmptyList => Node::List(Vec::new()),
            Op::EmptyDict => Node::Dict(Vec::new()),
            Op::Global => {
                let module = reader.line("a name")?;
                Node::Global(Global::named(module, reader.line("a name")?)?)
            }
            Op::StackGlobal => {
                let names = self.pop_last(2)?;
                match (self.get(names[0]), self.get(names[1])) {
                    (Node::Text(module), Node::Text(name)) => Node::Global(Global::named(module, name)?),
                    _ => return Err(Fault::malformed("a name that is not a text")),
                }
            }
            Op::BinPersId => Node::Persistent { id: self.pop()? },
            _ => Node::None,
        })
    }

    /// "Calls" one of the known names: builds the node it stands for.
    fn reduce(&mut self) -> Result<(), Fault> {
        let (args, callable) = (self.pop()?, self.pop()?);
        let Node::Tuple(items) = self.get(args) else {
            return Err(Fault::malformed("a call without a tuple of arguments"));
        };
        let first = items.first().copied();
        match self.get(callable) {
            Node::Global(Global::RebuildTensor) => self.push(Node::Tensor { args }),
            Node::Global(Global::RebuildParameter) => {
                let tensor = first.ok_or_else(|| Fault::malformed("a parameter without a tensor"))?;
                self.stack.push(tensor);
                Ok(())
            }
            Node::Global(Global::OrderedDict) => {
                let entries = first.map_or(Ok(Vec::new()), |pairs| self.pairs(pairs))?;
                self.push(Node::Dict(entries))
            }
            _ => Err(Fault::malformed("a call of something that cannot be called")),
        }
    }

    /// The pairs an ordered dictionary is made from.
    fn pairs(&self, list: NodeId) -> Result<Vec<(NodeId, NodeId)>, Fault> {
        let wrong = || Fault::malformed("an ordered dictionary that is not made of pairs");
        let (Node::List(items) | Node::Tuple(items)) = self.get(list) else { return Err(wrong()) };
        let pair = |&item: &NodeId| match self.get(item) {
            Node::List(pair) | Node::Tuple(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            _ => Err(wrong()),
        };
        items.iter().map(pair).collect()
    }

    /// Adds items to the list or dictionary below them.
    fn fill(&mut self, opcode: Opcode) -> Result<(), Fault> {
        let items = match opcode {
            Opcode::Append => self.pop_last(1)?,
            Opcode::SetItem => self.pop_last(2)?,
            _ => self.pop_to_mark()?,
        };
        let target = *self.stack.last().ok_or_else(empty)?;
        match (&mut self.nodes[target.0 as usize], opcode) {
            (Node::List(list), Opcode::Append | Opcode::Appends) => list.extend(items),
            (Node::Dict(entries), Opcode::SetItem | Opcode::SetItems) if items.len().is_multiple_of(2) => {
                entries.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
            }
            _ => return Err(Fault::malformed("items for something that holds none")),
        }
        Ok(())
    }

    fn get(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    fn push(&mut self, node: Node) -> Result<(), Fault> {
        if self.nodes.len() >= self.limit {
            return Err(Fault::Limit { what: "objects in a pickle", limit: self.limit as u64 });
        }
        let id = NodeId(u32::try_from(self.nodes.len()).map_err(|_| Fault::malformed("too many objects"))?);
        self.nodes.push(node);
        self.stack.push(id);
        Ok(())
    }

    fn mark(&mut self) -> Result<(), Fault> {
        if self.marks.len() >= self.limit {
            return Err(Fault::Limit { what: "marks in a pickle", limit: self.limit as u64 });
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// What lies above the last mark may be popped, nothing below it.
    fn pop_last(&mut self, count: usize) -> Result<Vec<NodeId>, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let start = self.stack.len().checked_sub(count).filter(|&start| start >= floor).ok_or_else(empty)?;
        Ok(self.stack.split_off(start))
    }

    fn pop(&mut self) -> Result<NodeId, Fault> {
        Ok(self.pop_last(1)?[0])
    }

    fn pop_to_mark(&mut self) -> Result<Vec<NodeId>, Fault> {
        let height = self.marks.pop().ok_or_else(|| Fault::malformed("a pickle that misses a mark"))?;
        Ok(self.stack.split_off(height))
    }

    fn put(&mut self, index: u32) -> Result<(), Fault> {
        if self.memo.len() >= self.limit {
            return Err(Fault::Limit { what: "memo entries in a pickle", limit: self.limit as u64 });
        }
        self.memo.insert(index, *self.stack.last().ok_or_else(empty)?);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<(), Fault> {
        let id = self.memo.get(&index).ok_or_else(|| Fault::malformed("a memo entry that was never put"))?;
        self.stack.push(*id);
        Ok(())
    }
}

fn empty() -> Fault {
    Fault::malformed("a pickle that takes from an empty stack")
}

/// A number of up to 16 bytes, two's complement.
fn long(reader: &mut Reader<'_>) -> Result<i128, Fault> {
    let len = reader.u8("a number")? as usize;
    let bytes = reader.take(len, "a number")?;
    if len > 16 {
        return Err(Fault::Limit { what: "bytes in a whole number", limit: 16 });
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut padded = if negative { [0xff; 16] } else { [0; 16] };
    padded[..len].copy_from_slice(bytes);
    Ok(i128::from_le_bytes(padded))
}
