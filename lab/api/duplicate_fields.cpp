// The parser keeps the last of two members with the same name, so that duplicates have to be seen
// while the text is read.
#include <nlohmann/json.hpp>
#include <set>

#include "lab/api/body.hpp"

namespace lab {

namespace {

class DuplicateFinder final : public nlohmann::json_sax<Json> {
public:
    std::vector<std::string> found{};

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t&) override { return value(); }
    bool string(string_t&) override { return value(); }
    bool binary(binary_t&) override { return value(); }

    bool start_object(std::size_t) override { return open(false); }
    bool start_array(std::size_t) override { return open(true); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        Level& level = levels_.back();
        level.name = name;
        if (!level.names.insert(name).second) {
            found.push_back("duplicate field \"" + path() + "\"");
        }
        return true;
    }

    bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
        return false;
    }

private:
    struct Level {
        bool array = false;
        std::size_t index = 0;
        std::string name{};
        std::set<std::string> names{};
    };

    bool value() {
        if (!levels_.empty()) ++levels_.back().index;
        return true;
    }
    bool open(bool array) {
        levels_.push_back({array});
        return true;
    }
    bool close() {
        levels_.pop_back();
        return value();
    }

    std::string path() const {
        std::string text;
        for (const Level& level : levels_) {
            if (level.array) {
                text += "[" + std::to_string(level.index) + "]";
            } else {
                text += (text.empty() ? "" : ".") + level.name;
            }
        }
        return text;
    }

    std::vector<Level> levels_{};
};

}  // namespace

std::vector<std::string> duplicate_fields(const std::string& json) {
    DuplicateFinder finder;
    static_cast<void>(Json::sax_parse(json, &finder));  // errors are the parser's to tell
    return finder.found;
}

}  // namespace lab
