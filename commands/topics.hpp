// Pages of `explain` that are about no single check. Values in static storage.
#pragma once

#include <span>
#include <string_view>

namespace commands {

struct TopicSection {
    std::string_view heading;
    std::string_view text;      // one paragraph
    std::string_view commands;  // to paste, one per line, below the text; often none
};

struct Topic {
    std::string_view name;  // "cold-migration"
    std::string_view title;
    std::span<const TopicSection> sections;
};

std::span<const Topic> all_topics();

// In any letter case; nullptr when there is none.
const Topic* find_topic(std::string_view name);

}  // namespace commands
