#include "lab/remote/mirror.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lab/remote/lock_free_client.hpp"

namespace {

using kubeclient::Change;
using kubeclient::Json;
using kubeclient::Method;

const lab::ResourceId pods{"", "pods"};
const std::string pod_path = "/api/v1/namespaces/prod/pods/web";

Json pod(const std::string& uid, int version, const Json& more = Json::object()) {
    Json object{{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata",
                 {{"name", "web"},
                  {"namespace", "prod"},
                  {"uid", uid},
                  {"resourceVersion", std::to_string(version)}}}};
    object["metadata"].update(more);
    return object;
}

kubeclient::Request request(Method method, const std::string& path = pod_path) {
    kubeclient::Request made;
    made.method = method;
    made.path = path;
    return made;
}

kubeclient::Response saying(const Json& body) {
    return {200, {}, body.dump()};
}

struct Mirrored {
    lab::Store store{};
    lab::Mirror mirror{store, {pods}};

    // "uid version", or "-".
    std::string now() const {
        const auto found = store.get(pods, {"prod", "web"});
        if (!found) return "-";
        const Json& metadata = found->at("metadata");
        return metadata.at("uid").get<std::string>() + " " +
               metadata.at("resourceVersion").get<std::string>();
    }
};

}  // namespace

TEST_CASE("the reply to a write is there at once, and older news does not undo it") {
    Mirrored mirrored;
    mirrored.mirror.take(pods, Change::added, pod("a", 5));
    mirrored.mirror.take(request(Method::patch), saying(pod("a", 10)));
    CHECK(mirrored.now() == "a 10");
    const auto revision = mirrored.store.revision();
    mirrored.mirror.take(pods, Change::modified, pod("a", 9));
    mirrored.mirror.take(pods, Change::modified, pod("a", 10));
    CHECK(mirrored.now() == "a 10");
    CHECK(mirrored.store.revision() == revision);  // nobody is told twice
    mirrored.mirror.take(pods, Change::modified, pod("a", 11));
    CHECK(mirrored.now() == "a 11");
}

TEST_CASE("what a write has removed does not come back with a late event") {
    const Json deleted{{"kind", "Status"}, {"status", "Success"}, {"details", {{"uid", "a"}}}};
    // The last second of a pod, and the last finalizer of what was being deleted.
    const Json last = pod("a", 7,
                          {{"deletionTimestamp", "2026-11-21T04:45:50Z"},
                           {"deletionGracePeriodSeconds", 0},
                           {"finalizers", Json::array()}});
    for (const auto& [method, reply] : {std::pair{Method::del, deleted},
                                        {Method::del, last},
                                        {Method::patch, last},
                                        {Method::put, last}}) {
        Mirrored mirrored;
        mirrored.mirror.take(pods, Change::added, pod("a", 5));
        mirrored.mirror.take(request(method), saying(reply));
        CHECK(mirrored.now() == "-");
        mirrored.mirror.take(pods, Change::modified, pod("a", 6));
        CHECK(mirrored.now() == "-");
        mirrored.mirror.take(pods, Change::added, pod("b", 8));
        mirrored.mirror.take(pods, Change::deleted, pod("a", 7));
        CHECK(mirrored.now() == "b 8");
    }
}

TEST_CASE("what is being deleted stays as long as somebody holds it") {
    const std::string time = "2026-11-21T04:45:50Z";
    for (const Json& held :
         {Json{{"deletionTimestamp", time}, {"deletionGracePeriodSeconds", 30}},
          Json{{"deletionTimestamp", time}, {"finalizers", Json::array({"one"})}}}) {
        Mirrored mirrored;
        mirrored.mirror.take(pods, Change::added, pod("a", 5));
        mirrored.mirror.take(request(Method::del), saying(pod("a", 6, held)));
        CHECK(mirrored.now() == "a 6");
    }
}

TEST_CASE("a dry run, a read and what is not followed change nothing") {
    Mirrored mirrored;
    auto dry = request(Method::post, "/api/v1/namespaces/prod/pods");
    dry.query.emplace_back("dryRun", "All");
    mirrored.mirror.take(dry, saying(pod("a", 5)));
    mirrored.mirror.take(request(Method::get), saying(pod("a", 5)));
    mirrored.mirror.take(request(Method::post, "/api/v1/namespaces/prod/events"),
                         saying(pod("a", 5)));
    CHECK(mirrored.store.revision() == 1);
    mirrored.mirror.take(request(Method::post, "/api/v1/namespaces/prod/pods"),
                         saying(pod("a", 5)));
    CHECK(mirrored.now() == "a 5");
}

TEST_CASE("what the store held before is not the mirrored server's") {
    lab::Store store;
    store.put(pods, {"prod", "web"}, pod("own", 0));
    store.put({"", "secrets"}, {"prod", "web"}, pod("own", 0));
    const lab::Mirror mirror(store, {pods});
    CHECK(store.all(pods).empty());
    CHECK(store.all({"", "secrets"}).size() == 1);
}

namespace {

// Answers with a pod, and says whether the lock could be had meanwhile.
class Server final : public kubeclient::Transport {
public:
    Server(std::mutex& lock, bool& was_free, int status)
        : lock_(lock), was_free_(was_free), status_(status) {}

    kubeclient::Result<kubeclient::Response> send(const kubeclient::Request&) override {
        was_free_ = lock_.try_lock();
        if (was_free_) lock_.unlock();
        return kubeclient::Response{status_, {}, pod("a", 5).dump()};
    }
    kubeclient::Result<kubeclient::Response> stream(const kubeclient::Request&,
                                                    const kubeclient::BodySink&,
                                                    std::stop_token) override {
        return kubeclient::Response{};
    }

private:
    std::mutex& lock_;
    bool& was_free_;
    int status_;
};

}  // namespace

TEST_CASE("the lock is free while a controller's request is under way, and held afterwards") {
    for (const int status : {201, 409, 422}) {
        std::mutex lock;
        bool was_free = false;
        Mirrored mirrored;
        std::vector<std::string> lines;
        const auto client = lab::lock_free_client(
            std::make_unique<Server>(lock, was_free, status), lock, &mirrored.mirror,
            [&](const std::string& line) { lines.push_back(line); });
        lock.lock();
        const auto response = client->send(request(Method::post, "/api/v1/namespaces/prod/pods"));
        CHECK(response->status == status);
        CHECK(was_free);
        CHECK_FALSE(lock.try_lock());
        CHECK(mirrored.now() == (status == 201 ? "a 5" : "-"));
        CHECK(lines.size() == (status == 422 ? 1 : 0));
        lock.unlock();
    }
}
