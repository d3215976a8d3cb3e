#include "kubeclient/retry.hpp"

#include <doctest/doctest.h>

#include "tests/unit/support/client.hpp"
#include "tests/unit/support/fake_transport.hpp"
#include "tests/unit/support/loopback_server.hpp"

using namespace kubeclient;
using namespace std::chrono_literals;
using support::FakeTransport;

namespace {

// Retries over scripted replies, with a clock that only waiting moves.
struct Retrying {
    std::unique_ptr<FakeTransport> owned = std::make_unique<FakeTransport>();
    FakeTransport& fake = *owned;
    std::vector<std::chrono::milliseconds> waits{};
    std::chrono::milliseconds timeout{0};
    int interrupt_at = -1;  // the wait that is interrupted
    Request request{};

    Result<Response> send() {
        RetryOptions options;
        options.request_timeout = timeout;
        auto now = std::make_shared<std::chrono::steady_clock::time_point>();
        options.now = [now] { return *now; };
        options.wait = [this, now](std::chrono::milliseconds pause) {
            waits.push_back(pause);
            *now += pause;
            return static_cast<int>(waits.size()) - 1 != interrupt_at;
        };
        transport_ = with_retries(std::move(owned), options);
        return transport_->send(request);
    }
    Retrying& answer(int status, const std::string& after) {
        if (after.empty()) {
            fake.then(status, "{}");
        } else {
            fake.then(status, "{}", {{"retry-after", after}});
        }
        return *this;
    }

private:
    std::unique_ptr<Transport> transport_{};
};

using Waits = std::vector<std::chrono::milliseconds>;

}  // namespace

TEST_CASE("a reply with Retry-After is asked for again when it says") {
    for (const int status : {429, 500, 503, 504}) {
        Retrying retrying;
        retrying.answer(status, "1").answer(status, "2").answer(200, "");
        CHECK(retrying.send()->status == 200);
        CHECK(retrying.waits == Waits{1s, 2s});
    }
}

TEST_CASE("without a Retry-After in seconds the answer stands") {
    for (const auto* after : {"", "soon", "-1", "1x", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
        Retrying retrying;
        retrying.answer(503, after);
        CHECK(retrying.send()->status == 503);
        CHECK(retrying.fake.asked.size() == 1);
    }
    Retrying not_found;
    not_found.answer(404, "1");
    CHECK(not_found.send()->status == 404);
}

TEST_CASE("ten retries are enough") {
    Retrying retrying;
    for (int i = 0; i < 12; ++i) retrying.answer(429, "1");
    CHECK(retrying.send()->status == 429);
    CHECK(retrying.fake.asked.size() == 11);
}

TEST_CASE("a pause that does not fit is not begun") {
    for (const auto* after : {"86400", "9223372036854775807", "61"}) {
        CAPTURE(after);
        Retrying retrying;
        retrying.answer(429, after);
        CHECK(retrying.send()->status == 429);
        CHECK(retrying.waits.empty());
    }
    Retrying beyond;
    beyond.answer(429, "99999999999999999999999");
    CHECK(beyond.send()->status == 429);
    Retrying bounded;
    bounded.timeout = 5s;
    bounded.answer(429, "2").answer(429, "2").answer(429, "2");
    CHECK(bounded.send()->status == 429);
    CHECK(bounded.waits == Waits{2s, 2s});
    Retrying patient;  // a longer timeout allows longer pauses
    patient.timeout = 10min;
    patient.answer(429, "300").answer(200, "");
    CHECK(patient.send()->status == 200);
}

TEST_CASE("each attempt gets what is left of the time") {
    Retrying retrying;
    retrying.timeout = 5s;
    retrying.request.timeout = 4s;
    retrying.answer(429, "1").answer(429, "2").answer(200, "");
    CHECK(retrying.send().ok());
    REQUIRE(retrying.fake.asked.size() == 3);
    CHECK(retrying.fake.asked[0].timeout == 4s);
    CHECK(retrying.fake.asked[1].timeout == 3s);
    CHECK(retrying.fake.asked[2].timeout == 1s);
}

TEST_CASE("a broken connection is tried twice more, for what may be repeated") {
    Retrying retrying;
    retrying.fake.then(Error{ErrorKind::transport, "a"})
        .then(Error{ErrorKind::transport, "b"})
        .then(Error{ErrorKind::transport, "c"});
    CHECK(retrying.send().error().message == "c");
    CHECK(retrying.waits == Waits{100ms, 400ms});
    Retrying recovered;
    recovered.fake.then(Error{ErrorKind::transport, "a"}).then(200, "{}");
    CHECK(recovered.send().ok());
    Retrying write;
    write.request.repeatable = Repeatable::no;
    write.fake.then(Error{ErrorKind::transport, "a"});
    CHECK(write.send().error().message == "a");
    CHECK(write.waits.empty());
}

TEST_CASE("an uncertain write is never sent again") {
    Retrying lost;
    lost.request.repeatable = Repeatable::no;
    lost.fake.then(Error{ErrorKind::unknown_outcome, "u", "read it"});
    CHECK(lost.send().error() == Error{ErrorKind::unknown_outcome, "u", "read it"});
    for (const int status : {500, 503, 504}) {
        Retrying write;
        write.request.repeatable = Repeatable::no;
        write.answer(status, "1");
        CHECK(write.send()->status == status);
        CHECK(write.fake.asked.size() == 1);
    }
    Retrying throttled;  // was not processed, so it may
    throttled.request.repeatable = Repeatable::no;
    throttled.answer(429, "1").answer(201, "");
    CHECK(throttled.send()->status == 201);
}

TEST_CASE("other failures and evictions are not tried again") {
    for (const auto kind :
         {ErrorKind::timeout, ErrorKind::config, ErrorKind::protocol, ErrorKind::canceled}) {
        Retrying retrying;
        retrying.fake.then(Error{kind, "x"});
        CHECK(retrying.send().error().kind == kind);
        CHECK(retrying.fake.asked.size() == 1);
    }
    Retrying eviction;
    eviction.request.path = "/api/v1/namespaces/web/pods/db/eviction";
    eviction.answer(429, "1");
    CHECK(eviction.send()->status == 429);
}

TEST_CASE("an interrupt ends a pause") {
    Retrying retrying;
    retrying.interrupt_at = 0;
    retrying.answer(429, "1");
    CHECK(retrying.send().error().kind == ErrorKind::canceled);
    std::stop_source stop;
    stop.request_stop();
    CHECK_FALSE(retry_options(0ms, stop.get_token()).wait(1h));
    CHECK(retry_options(0ms, {}).wait(0ms));
}

TEST_CASE("retries over real connections end at the request timeout") {
    std::atomic<int> asked = 0;
    const support::LoopbackServer server([&](support::Wire& wire) {
        while (!wire.read_request().empty()) {
            ++asked;
            wire.reply("{}", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\n");
        }
    });
    const support::Client client(server.port(), false);
    const auto transport = with_retries(client.transport(), retry_options(30s, {}));
    Request request;
    request.path = "/version";
    CHECK(transport->send(request)->status == 429);
    CHECK(asked == 11);

    const support::LoopbackServer silent([](support::Wire& wire) { wire.hang(); });
    const support::Client waiting(silent.port(), false);
    const auto bounded = with_retries(waiting.transport(), retry_options(50ms, {}));
    CHECK(bounded->send(request).error().kind == ErrorKind::timeout);
}
