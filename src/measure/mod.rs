//! From events to a record and its verdicts: pure functions.
