// The lab's only file that includes cpp-httplib.
#include "lab/http_server.hpp"

#include <httplib.h>

#include <atomic>
#include <limits>
#include <list>
#include <thread>
#include <utility>

#include "lab/api/status.hpp"
#include "lab/http_message.hpp"

namespace lab {

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Request;
using kubeclient::Response;
using kubeclient::Result;

// kube-apiserver's limit of a request body (k8s.io/apiserver pkg/server/config.go).
constexpr std::size_t kLargestBody = 3 * 1024 * 1024;
constexpr int kKeepAliveSeconds = 120;
// cpp-httplib compresses a stream of plain "application/json" for whoever takes gzip, and then
// holds events back until they fill a block. kube-apiserver compresses no watch.
constexpr const char* kWatchType = "application/json;stream=watch";
// Nor does it compress a log. Media types may be written either way (RFC 9110 section 8.3.1), and
// cpp-httplib compresses what begins with "text/" in small letters.
constexpr const char* kLogType = "Text/plain";
// A client that has gone is noticed as often. Of a log that grows nobody is told.
constexpr auto kWatchPatience = std::chrono::milliseconds(500);
constexpr auto kLogPatience = std::chrono::milliseconds(100);

// A watch keeps its connection for hours, so connections share no threads.
class ThreadPerConnection final : public httplib::TaskQueue {
public:
    void enqueue(std::function<void()> work) override {
        threads_.remove_if([](const Thread& thread) { return thread.done.load(); });
        Thread& place = threads_.emplace_back();
        place.thread = std::jthread([&place, work = std::move(work)] {
            work();
            place.done = true;
        });
    }
    void shutdown() override { threads_.clear(); }

private:
    struct Thread {
        std::atomic<bool> done = false;
        std::jthread thread{};
    };
    std::list<Thread> threads_{};
};

Headers headers_of(const httplib::Request& wire) {
    return {wire.headers.begin(), wire.headers.end()};
}

void answer(const Response& response, httplib::Response& wire) {
    wire.status = response.status;
    std::string type = "application/json";
    for (const auto& [name, value] : response.headers) {
        if (name == "content-type") {
            type = value;
        } else if (name != "content-length") {
            wire.headers.emplace(name, value);
        }
    }
    wire.set_content(response.body, type);
}

}  // namespace

struct HttpServer::State {
    World& world;
    FrontDoor& door;
    std::condition_variable& changed;
    int port = 0;
    std::atomic<bool> stopping = false;
    OpenConnections connections{};
    std::unique_ptr<httplib::SSLServer> server{};
    std::jthread listener{};

    State(World& the_world, FrontDoor& the_door, std::condition_variable& the_changed)
        : world(the_world), door(the_door), changed(the_changed) {}

    void serve(const httplib::Request& wire, httplib::Response& reply) {
        const auto call = read_call(wire.method, wire.target, headers_of(wire), wire.body);
        if (!call.ok()) return answer(lab::reply(bad_request(call.error().message)), reply);
        if (is_watch(call->request)) return open_watch(*call, reply);
        if (is_follow(call->request) && open_log(*call, reply)) return;
        const auto response = [&] {
            const std::lock_guard lock(world.lock());
            return door.handle(call->caller, call->request);
        }();
        if (call->request.method != kubeclient::Method::get) changed.notify_all();
        answer(response, reply);
    }

    void open_watch(const HttpCall& call, httplib::Response& reply) {
        Response refusal;
        std::shared_ptr<WatchCursor> cursor = [&] {
            const std::lock_guard lock(world.lock());
            return door.watch(call.caller, call.request, refusal);
        }();
        if (!cursor) return answer(refusal, reply);
        provide(kWatchType, std::move(cursor), kWatchPatience, reply);
    }

    // false: it is no log that could be followed, and there is a whole answer to it.
    bool open_log(const HttpCall& call, httplib::Response& reply) {
        std::shared_ptr<Stream> log = [&] {
            const std::lock_guard lock(world.lock());
            return door.follow(call.caller, call.request);
        }();
        if (!log) return false;
        provide(kLogType, std::move(log), kLogPatience, reply);
        return true;
    }

    void provide(const char* type, std::shared_ptr<Stream> stream,
                 std::chrono::milliseconds patience, httplib::Response& reply) {
        reply.set_chunked_content_provider(
            type, [this, stream = std::move(stream), patience](std::size_t /*offset*/,
                                                               httplib::DataSink& sink) {
                return feed(*stream, patience, sink);
            });
    }

    // What is new, once there is something.
    bool feed(Stream& stream, std::chrono::milliseconds patience, httplib::DataSink& sink) {
        while (!stopping && sink.is_writable()) {
            std::unique_lock lock(world.lock());
            std::string lines = stream.next();
            if (lines.empty() && !stream.ended() && !stopping) {
                changed.wait_for(lock, patience);
                lines = stream.next();
            }
            const bool ended = stream.ended();
            lock.unlock();
            if (!lines.empty() && !sink.write(lines.data(), lines.size())) return false;
            if (ended) sink.done();
            if (ended || !lines.empty()) return true;
        }
        return false;
    }

    void define() {
        server->new_task_queue = [] { return new ThreadPerConnection; };
        // cpp-httplib's own choice, SO_REUSEPORT, lets two servers share a port.
        server->set_socket_options([](socket_t socket) {
            const int yes = 1;
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        });
        server->set_tcp_nodelay(true);
        server->set_keep_alive_max_count(std::numeric_limits<std::size_t>::max());
        server->set_keep_alive_timeout(kKeepAliveSeconds);
        server->set_payload_max_length(kLargestBody);
        const httplib::Server::Handler all =
            [this](const httplib::Request& wire, httplib::Response& reply) { serve(wire, reply); };
        server->Get(".*", all);
        server->Post(".*", all);
        server->Put(".*", all);
        server->Patch(".*", all);
        server->Delete(".*", all);
        // What cpp-httplib refuses by itself, and what went wrong inside.
        const httplib::Server::Handler refused = [](const httplib::Request&,
                                                    httplib::Response& reply) {
            if (reply.body.empty()) answer(refused_by_http(reply.status), reply);
        };
        server->set_error_handler(refused);
        server->set_exception_handler(
            [](const httplib::Request&, httplib::Response& reply, const std::exception_ptr&) {
                answer(refused_by_http(500), reply);
            });
    }
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(World& world, FrontDoor& door,
                                                      std::condition_variable& changed,
                                                      const Identity& identity, int port) {
    auto state = std::make_unique<State>(world, door, changed);
    state->server = std::make_unique<httplib::SSLServer>([&](SSL_CTX& context) {
        return serve_as(context, identity) && state->connections.watch(context);
    });
    if (!state->server->is_valid()) {
        return Error{ErrorKind::config, "cannot set up TLS for the lab's server"};
    }
    state->define();
    const char* address = "127.0.0.1";
    if (port == 0) {
        state->port = state->server->bind_to_any_port(address);
    } else if (state->server->bind_to_port(address, port)) {
        state->port = port;
    }
    if (state->port <= 0) {
        const std::string place = "127.0.0.1:" + std::to_string(port);
        return Error{ErrorKind::transport, "cannot listen on " + place,
                     "is the port in use? without --port a free one is taken"};
    }
    state->listener = std::jthread([server = state->server.get()] { server->listen_after_bind(); });
    // stop() does nothing before the server has begun to run.
    while (!state->server->is_running()) std::this_thread::yield();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() {
    {
        const std::lock_guard lock(state_->world.lock());
        state_->stopping = true;
    }
    state_->changed.notify_all();
    state_->connections.end_for_good();
    state_->server->stop();
    state_->listener.join();
}

void HttpServer::end_connections() {
    state_->connections.end_all();
}

int HttpServer::port() const {
    return state_->port;
}

}  // namespace lab
