#include "preflight/check.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <set>
#include <string>

using namespace preflight;

namespace {

bool is_id(std::string_view id) {
    const auto dash = id.find('-');
    if (dash == std::string_view::npos || dash == 0 || id.size() != dash + 4) return false;
    for (std::size_t at = 0; at < id.size(); ++at) {
        const auto letter = static_cast<unsigned char>(id[at]);
        if (at < dash && std::isupper(letter) == 0) return false;
        if (at > dash && std::isdigit(letter) == 0) return false;
    }
    return true;
}

bool is_kebab(std::string_view slug) {
    if (slug.empty() || slug.front() == '-' || slug.back() == '-') return false;
    if (slug.find("--") != std::string_view::npos) return false;
    return slug.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
           std::string_view::npos;
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (auto& letter : result) {
        letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    }
    return result;
}

}  // namespace

TEST_CASE("every check has an id of its own, AREA-NNN, and a slug of its own") {
    std::set<std::string_view> names;
    for (const auto& check : all_checks()) {
        CAPTURE(check.id);
        CHECK(is_id(check.id));
        CHECK(is_kebab(check.slug));
        CHECK(names.insert(check.id).second);
        CHECK(names.insert(check.slug).second);
    }
    CHECK(names.size() == 2 * all_checks().size());
    CHECK(all_checks().size() >= 40);
}

TEST_CASE("every check explains itself") {
    for (const auto& check : all_checks()) {
        CAPTURE(check.id);
        CHECK((check.run != nullptr));
        CHECK(check.title.size() <= 60);
        for (const auto text : {check.title, check.meaning, check.why, check.fix, check.source}) {
            CHECK_FALSE(text.empty());
            CHECK(text.find('\n') == std::string_view::npos);
            CHECK(text.find("  ") == std::string_view::npos);
        }
        CHECK_FALSE(check.title.ends_with('.'));
        CHECK(check.meaning.ends_with('.'));
        CHECK(check.why.ends_with('.'));
        CHECK(check.fix.ends_with('.'));
    }
}

TEST_CASE("a check is found by id and by slug, in any letter case") {
    for (const auto& check : all_checks()) {
        CHECK(find_check(check.id) == &check);
        CHECK(find_check(check.slug) == &check);
        CHECK(find_check(upper(check.slug)) == &check);
    }
    CHECK(find_check("disk-001") == find_check("DISK-001"));
    CHECK(find_check("DISK-001")->slug == "claims-shared");
}

TEST_CASE("what is no check's name finds none") {
    for (const auto* name :
         {"", "DISK", "DISK-01", "DISK-0010", " DISK-001", "DISK-999", "claims"}) {
        CAPTURE(name);
        CHECK(find_check(name) == nullptr);
    }
}

TEST_CASE("verdicts and severities have names of their own") {
    std::set<std::string_view> names;
    for (const auto verdict : {Verdict::pass, Verdict::warn, Verdict::fail, Verdict::skipped,
                               Verdict::unknown, Verdict::waived}) {
        names.insert(to_string(verdict));
    }
    CHECK(names ==
          std::set<std::string_view>{"pass", "warn", "fail", "skipped", "unknown", "waived"});
    CHECK(to_string(Severity::blocking) == "blocking");
    CHECK(to_string(Severity::warning) == "warning");
    CHECK(to_string(Severity::info) == "info");
}
