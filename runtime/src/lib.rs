//! ZVM.
