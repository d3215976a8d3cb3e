// Bytes as two kubeconfig files that are merged and made into a target, and as any YAML whose value
// must survive being written and read again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "kubeclient/kubeconfig.hpp"
#include "kubeclient/yaml.hpp"

namespace {

using namespace kubeclient;

void require(bool holds, const char* what, const std::string& text) {
    if (holds) return;
    std::fprintf(stderr, "%s\n%s\n", what, text.c_str());
    std::abort();
}

void check_round_trip(const std::string& text) {
    const auto documents = parse_yaml(text, "input", {.expansion = 10'000});
    if (!documents.ok()) return;
    for (const auto& document : *documents) {
        const auto yaml = to_yaml(*document.value);
        const auto back = parse_yaml(yaml, "output");
        require(back.ok(), "written YAML cannot be read", yaml);
        require(back->size() == 1, "written YAML is not one document", yaml);
        require(*back->front().value == *document.value, "written YAML reads differently", yaml);
    }
}

void load(const std::string& text) {
    // A line of its own separates two files, so that merging is reached.
    const auto cut = text.find("\n=====\n");
    const std::map<std::string, std::string> files{
        {"/k/one", text.substr(0, cut)},
        {"/k/two", cut == std::string::npos ? "" : text.substr(cut + 7)},
        {"/k/pem", "-----BEGIN CERTIFICATE-----\n"}};
    System system;
    system.env = [](const std::string& name) -> std::optional<std::string> {
        if (name == "KUBECONFIG") return "/k/one:/k/two";
        return std::nullopt;
    };
    system.read_file = [&](const std::string& path) -> Result<std::string> {
        const auto file = files.find(path);
        if (file == files.end()) return Error{ErrorKind::not_found, "no such file or directory"};
        return file->second;
    };
    system.now = [] { return std::chrono::system_clock::time_point{}; };
    const auto target = load_target({}, system);
    if (!target.ok()) {
        require(!target.error().message.empty(), "an error without a message", text);
        return;
    }
    require(!target->server.host.empty(), "a target without a host", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 65536) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    check_round_trip(text);
    load(text);
    return 0;
}
