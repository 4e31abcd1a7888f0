//! The Java object serialization protocol: what is sent is written field by field, what arrives is read into a tree.

pub mod read;
pub mod text;
pub mod tree;
pub mod write;

/// The first bytes of every stream, its version included.
pub const MAGIC: [u8; 4] = [0xac, 0xed, 0x00, 0x05];

/// What comes next in a stream.
pub mod tag {
    pub const NULL: u8 = 0x70;
    pub const REFERENCE: u8 = 0x71;
    pub const CLASS_DESCRIPTION: u8 = 0x72;
    pub const OBJECT: u8 = 0x73;
    pub const STRING: u8 = 0x74;
    pub const ARRAY: u8 = 0x75;
    pub const CLASS: u8 = 0x76;
    pub const BLOCK: u8 = 0x77;
    pub const END_OF_BLOCKS: u8 = 0x78;
    pub const LONG_BLOCK: u8 = 0x7a;
    pub const LONG_STRING: u8 = 0x7c;
    pub const PROXY_DESCRIPTION: u8 = 0x7d;
    pub const ENUM: u8 = 0x7e;
}

/// Of which kind a class is.
pub mod flag {
    pub const WRITES_MORE: u8 = 0x01;
    pub const SERIALIZABLE: u8 = 0x02;
    pub const EXTERNALIZABLE: u8 = 0x04;
    pub const IN_BLOCKS: u8 = 0x08;
}

/// References count from here.
pub const FIRST_HANDLE: u32 = 0x007e_0000;
