#pragma once

#include <nanobind/nanobind.h>

void bind_cascade(nanobind::module_& m);
void bind_engine(nanobind::module_& m);
void bind_hash(nanobind::module_& m);
void bind_ldpc(nanobind::module_& m);
void bind_samplers(nanobind::module_& m);
void bind_states(nanobind::module_& m);
void bind_tails(nanobind::module_& m);
