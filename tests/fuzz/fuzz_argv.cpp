// Bytes as a command line, one word per line: it must be read or refused with a sentence, and read
// the same way twice. Completion of the same words must end in its directive.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/complete.hpp"
#include "cli/definitions.hpp"
#include "cli/parse.hpp"

namespace {

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text) {
        if (c == '\n' || c == '\0') {
            words.push_back(std::move(word));
            word.clear();
        } else {
            word += c;
        }
    }
    words.push_back(std::move(word));
    return words;
}

void check_refusal(const cli::Refusal& refusal) {
    require(refusal.error.kind == kubeclient::ErrorKind::usage, "a refusal of another kind");
    require(!refusal.error.message.empty() && !refusal.error.hint.empty(), "a mute refusal");
    for (const char c : refusal.error.message) {
        require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a control character");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4096) return 0;
    const auto words = words_of(std::string(reinterpret_cast<const char*>(data), size));
    std::vector<const char*> argv{"virt-handoff"};
    for (const auto& word : words) argv.push_back(word.c_str());

    const auto outcome = cli::parse(argv);
    require(outcome == cli::parse(argv), "the same words read differently");
    if (const auto* refusal = std::get_if<cli::Refusal>(&outcome)) check_refusal(*refusal);

    static const cli::CommandLine line = cli::describe_command_line();
    const std::string completed = cli::complete(words, line);
    require(completed.ends_with(":0\n") || completed.ends_with(":4\n"), "no directive");
    return 0;
}
