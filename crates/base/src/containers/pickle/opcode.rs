//! The opcodes of a weights file, named as in Python's `pickletools`.

use super::super::Fault;

macro_rules! opcodes {
    ($($name:ident = $byte:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Opcode { $($name,)* }

        impl Opcode {
            pub(super) fn from_byte(byte: u8) -> Result<Self, Fault> {
                match byte {
                    $($byte => Ok(Self::$name),)*
                    _ => Err(Fault::Forbidden { name: format!("pickle opcode 0x{byte:02x}") }),
                }
            }
        }
    };
}

opcodes! {
    Proto = 0x80,
    Frame = 0x95,
    Stop = b'.',
    Mark = b'(',
    Pop = b'0',
    PopMark = b'1',
    None = b'N',
    NewTrue = 0x88,
    NewFalse = 0x89,
    BinInt = b'J',
    BinInt1 = b'K',
    BinInt2 = b'M',
    Long1 = 0x8a,
    BinFloat = b'G',
    BinUnicode = b'X',
    ShortBinUnicode = 0x8c,
    ShortBinBytes = b'C',
    BinBytes = b'B',
    EmptyTuple = b')',
    Tuple = b't',
    Tuple1 = 0x85,
    Tuple2 = 0x86,
    Tuple3 = 0x87,
    EmptyList = b']',
    Append = b'a',
    Appends = b'e',
    EmptyDict = b'}',
    SetItem = b's',
    SetItems = b'u',
    Global = b'c',
    StackGlobal = 0x93,
    Reduce = b'R',
    Build = b'b',
    BinPersId = b'Q',
    BinPut = b'q',
    LongBinPut = b'r',
    Memoize = 0x94,
    BinGet = b'h',
    LongBinGet = b'j',
}
