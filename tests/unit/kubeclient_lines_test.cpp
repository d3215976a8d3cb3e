#include "kubeclient/lines.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace kubeclient;

namespace {

using Texts = std::vector<std::string>;

// The lines of the pieces; stops at the line "stop".
struct Cut {
    Lines lines{8};
    Texts seen{};
    Result<Flow> last = Flow::go_on;

    explicit Cut(const Texts& pieces) {
        for (const auto& piece : pieces) {
            last = lines.feed(piece, [this](std::string_view line) {
                seen.emplace_back(line);
                return line == "stop" ? Flow::stop : Flow::go_on;
            });
            if (!last.ok() || *last == Flow::stop) return;
        }
    }
};

}  // namespace

TEST_CASE("lines are the same however their pieces are cut") {
    const std::string whole = "one\n\ntwo\r\nthree\nfo";
    for (std::size_t a = 0; a <= whole.size(); ++a) {
        for (std::size_t b = a; b <= whole.size(); ++b) {
            const Cut cut({whole.substr(0, a), whole.substr(a, b - a), whole.substr(b)});
            CHECK(cut.seen == Texts{"one", "", "two\r", "three"});
            CHECK(cut.lines.pending());
        }
    }
    CHECK(!Cut({"a\n", "b", "\n"}).lines.pending());
}

TEST_CASE("a line may be as long as allowed and no longer") {
    CHECK(Cut({"12345678\n", "1234", "5678\n"}).seen == Texts{"12345678", "12345678"});
    for (const auto& pieces : {Texts{"123456789\n"}, Texts{"123456789"}, Texts{"1234", "56789"}}) {
        const Cut cut(pieces);
        REQUIRE(!cut.last.ok());
        CHECK(cut.last.error().kind == ErrorKind::protocol);
        CHECK(cut.last.error().message == "a line of the stream is longer than 8 bytes");
        CHECK(cut.seen.empty());
    }
}

TEST_CASE("who has enough gets no further line") {
    const Cut cut({"a\nst", "op\nb\n", "c\n"});
    CHECK(cut.seen == Texts{"a", "stop"});
    CHECK(*cut.last == Flow::stop);
}
