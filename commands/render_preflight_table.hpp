// A PreflightReport as text for people. Pure; safe from any thread. Text from the cluster is made
// harmless (text.hpp).
#pragma once

#include <string>

#include "preflight/report.hpp"

namespace commands {

struct TableStyle {
    int width = 80;                        // columns; less than 40 counts as 40
    bool colour = false;                   // see Streams
    bool unicode = false;                  // marks; text from objects is always UTF-8
    bool wide = false;                     // -o wide: passed checks too, nothing shortened
    bool no_headers = false;               // leaves the upper-case row out
    std::string program = "virt-handoff";  // how the user called it
};

// One VM: its verdict, then what is in the way, worst first. Several: a row for each, then the
// same details for those that did not pass, then the counts. What could not be read follows once,
// and where something failed the last line is the next command. Empty when there is no VM.
std::string render_preflight_table(const preflight::PreflightReport& report,
                                   const TableStyle& style);

// -o name: what was judged, one per line: virtualmachine.kubevirt.io/web.
std::string render_preflight_names(const preflight::PreflightReport& report);

}  // namespace commands
