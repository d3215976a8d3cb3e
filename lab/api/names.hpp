// What names, labels and finalizers may look like. Pure.
// Source: apimachinery pkg/util/validation/validation.go, whose messages these are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lab {

// nullopt: nothing wrong with it.
std::optional<std::string> problem_of_dns_subdomain(std::string_view name);
std::optional<std::string> problem_of_dns_label(std::string_view name);
std::optional<std::string> problem_of_path_segment(std::string_view name);
// "name" or "prefix.example.com/name": keys of labels and annotations, finalizers.
std::optional<std::string> problem_of_qualified_name(std::string_view name);
std::optional<std::string> problem_of_label_value(std::string_view value);

}  // namespace lab
