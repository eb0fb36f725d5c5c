//! A region in process, for simulated drills.
