#include "preflight/rules.hpp"

#include <doctest/doctest.h>

using namespace preflight;

TEST_CASE("each release from 1.4 to 1.9 has its own rules") {
    CHECK(rules_for("v1.4.1") == Rules{RuleSet::v1_4, false, {}});
    CHECK(rules_for("v1.5.3") == Rules{RuleSet::v1_5, false, {}});
    CHECK(rules_for("v1.6.6") == Rules{RuleSet::v1_6, false, {}});
    CHECK(rules_for("1.7.4") == Rules{RuleSet::v1_7, false, {}});
    CHECK(rules_for("v1.8") == Rules{RuleSet::v1_8, false, {}});
    CHECK(rules_for("v1.9.0") == Rules{RuleSet::v1_9, false, {}});
}

TEST_CASE("pre-releases and builds count as their release") {
    CHECK(rules_for("v1.9.0-rc.2").set == RuleSet::v1_9);
    CHECK(rules_for("v1.8.0-beta.0-45-gabcdef").set == RuleSet::v1_8);
    CHECK(rules_for("v1.7-alpha").set == RuleSet::v1_7);
    CHECK_FALSE(rules_for("v1.9.0-rc.2").assumed);
}

TEST_CASE("outside the known releases the nearest set is taken, and said so") {
    const auto older = rules_for("v1.3.1");
    CHECK(older.set == RuleSet::v1_4);
    CHECK(older.assumed);
    CHECK(older.note.find("v1.3.1 is older") != std::string::npos);
    CHECK(rules_for("v0.58.0").set == RuleSet::v1_4);
    for (const auto* newer : {"v1.10.0", "v1.40", "v2.0.0", "v2.4.0"}) {
        CAPTURE(newer);
        CHECK(rules_for(newer).set == RuleSet::v1_9);
        CHECK(rules_for(newer).note.find("newer") != std::string::npos);
    }
}

TEST_CASE("a version that is not understood means the newest rules, and says so") {
    CHECK(rules_for("").note == "the KubeVirt version is unknown; the rules of 1.9 are assumed");
    for (const auto* broken :
         {"v", "1", "v1", "v1.", "1.x", "vv1.4", "latest", "devel", "-1.4", "1.-4", "1.4x", " 1.4",
          "V1.4", "1,4", "v1.99999999999999999999", "1.4\n"}) {
        CAPTURE(broken);
        const auto rules = rules_for(broken);
        CHECK(rules.set == RuleSet::v1_9);
        CHECK(rules.assumed);
        CHECK(rules.note.find("is not understood") != std::string::npos);
    }
}

TEST_CASE("a rule set is called by its release") {
    CHECK(to_string(RuleSet::v1_4) == "1.4");
    CHECK(to_string(RuleSet::v1_5) == "1.5");
    CHECK(to_string(RuleSet::v1_6) == "1.6");
    CHECK(to_string(RuleSet::v1_7) == "1.7");
    CHECK(to_string(RuleSet::v1_8) == "1.8");
    CHECK(to_string(RuleSet::v1_9) == "1.9");
}
