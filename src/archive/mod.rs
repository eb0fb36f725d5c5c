//! What a dump looks like: packing rows into an archive, and unpacking one while every byte of it is checked.
//! Streams in one pass with bounded memory; knows no store, no service and no pipeline.
