// The recorded scenes, line by line. Empty where they are not beside the sources.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kubeclient/json.hpp"

namespace lab_test {

using kubeclient::Json;

inline std::vector<std::filesystem::path> trace_files() {
    std::vector<std::filesystem::path> files;
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(LAB_TRACES, absent)) {
        if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

inline std::vector<Json> trace_lines(const std::filesystem::path& file) {
    std::vector<Json> lines;
    std::ifstream input(file);
    for (std::string line; std::getline(input, line);) lines.push_back(Json::parse(line));
    return lines;
}

// The same with every time of day replaced: two runs differ in nothing else.
inline Json without_times(Json json) {
    if (json.is_structured()) {
        for (auto& each : json) each = without_times(std::move(each));
    } else if (json.is_string()) {
        const auto& text = json.get_ref<const std::string&>();
        if (text.size() >= 20 && text[4] == '-' && text[10] == 'T' && text.back() == 'Z') {
            return "TIME";
        }
    }
    return json;
}

}  // namespace lab_test
