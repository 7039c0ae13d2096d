#pragma once
// A snapshot in Prometheus's text exposition format, version 0.0.4. Pure.
// https://prometheus.io/docs/instrumenting/exposition_formats/
//
// Every family has HELP and TYPE; units are seconds and bytes; what only grows ends in _total. Labels have few values:
// sessions of the configuration, reasons of the quarantine, log levels. Never an asset, a topic or a node.

#include <string>
#include <string_view>

#include "gateway/app/metrics.h"

namespace fettle::app {

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

std::string exposition(const Snapshot& snapshot);

}  // namespace fettle::app
