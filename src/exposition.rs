//! The exposition: a snapshot and the self metrics as Prometheus reads them.
