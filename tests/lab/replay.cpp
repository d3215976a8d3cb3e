// lab_replay SCENE.jsonl: drives the lab through a recorded scene and compares.
// lab_replay --print SCENE.jsonl: prints the lab's own session, as a recording.
// lab_replay --tell SCENE.jsonl: prints the recording as it is compared.
// Ends with 77, ctest's word for skipped, where the scene is not there.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "player.hpp"
#include "session.hpp"
#include "story.hpp"

namespace {

using lab_replay::Chapter;
using lab_replay::Session;
using lab_replay::Story;

constexpr int skipped = 77;

void print(const Session& session) {
    std::vector<std::pair<double, std::string>> lines;
    for (const auto& action : session.actions) {
        lines.emplace_back(action.at, lab_replay::to_line(action).dump());
    }
    for (const auto& sighting : session.sightings) {
        lines.emplace_back(sighting.at, lab_replay::to_line(sighting).dump());
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [at, line] : lines) std::cout << line << '\n';
}

void tell(const Session& session) {
    for (const auto& [title, chapter] : lab_replay::story_of(session).chapters) {
        std::cout << "== " << title << '\n';
        for (const std::string& line : chapter) std::cout << "    " << line << '\n';
    }
}

// A long line from shortly before it differs from the other.
std::string around_difference(const std::string& line, const std::string& other) {
    constexpr std::size_t short_enough = 160;
    constexpr std::size_t before = 60;
    if (line.size() <= short_enough || other.size() <= short_enough) return line;
    const auto [at, there] = std::mismatch(line.begin(), line.end(), other.begin(), other.end());
    const auto position = static_cast<std::size_t>(at - line.begin());
    return position <= before ? line : "…" + line.substr(position - before);
}

// Whole chapters, with the first difference marked: what led to it is what a reader wants to see.
void print_difference(const std::string& title, const Chapter& recorded, const Chapter& lab) {
    std::cout << "\n== " << title << '\n';
    const std::size_t longest = std::max(recorded.size(), lab.size());
    std::size_t shown = 0;
    for (std::size_t i = 0; i < longest && shown < 4; ++i) {
        const bool both = i < recorded.size() && i < lab.size();
        if (both && recorded[i] == lab[i]) {
            if (shown == 0) std::cout << "    " << recorded[i] << '\n';
            continue;
        }
        ++shown;
        const std::string left = i < recorded.size() ? recorded[i] : "(nothing more)";
        const std::string right = i < lab.size() ? lab[i] : "(nothing more)";
        std::cout << "  recorded: " << around_difference(left, right)
                  << "\n       lab: " << around_difference(right, left) << '\n';
    }
}

int compare(const Session& recorded, const Session& lab) {
    const Story wanted = lab_replay::story_of(recorded);
    const Story got = lab_replay::story_of(lab);
    std::set<std::string> titles;
    for (const auto& [title, chapter] : wanted.chapters) titles.insert(title);
    for (const auto& [title, chapter] : got.chapters) titles.insert(title);
    int differences = 0;
    const Chapter none;
    for (const std::string& title : titles) {
        const auto a = wanted.chapters.find(title);
        const auto b = got.chapters.find(title);
        const Chapter& left = a == wanted.chapters.end() ? none : a->second;
        const Chapter& right = b == got.chapters.end() ? none : b->second;
        if (left == right) continue;
        ++differences;
        print_difference(title, left, right);
    }
    std::cout << '\n'
              << recorded.scene << ": " << titles.size() - static_cast<std::size_t>(differences)
              << " of " << titles.size() << " chapters agree\n";
    return differences == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const std::string mode = words.size() == 2 ? words[0] : "";
    if (words.empty() || words.size() > 2 ||
        !(mode.empty() || mode == "--print" || mode == "--tell")) {
        std::cerr << "usage: lab_replay [--print|--tell] SCENE.jsonl\n";
        return 2;
    }
    const std::string& file = words.back();
    if (!std::filesystem::exists(file)) {
        std::cout << "skipped: no recording " << file << '\n';
        return skipped;
    }
    const auto recorded = lab_replay::read_session(file);
    if (!recorded.ok()) {
        std::cerr << recorded.error().message << '\n';
        return 1;
    }
    if (mode == "--tell") {
        tell(*recorded);
        return 0;
    }
    const Session lab = lab_replay::played(*recorded);
    if (mode == "--print") {
        print(lab);
        return 0;
    }
    return compare(*recorded, lab);
}
