#include "player.hpp"

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "names.hpp"
#include "stage.hpp"

namespace lab_replay {

using kubeclient::find;
using kubeclient::Method;
using kubeclient::text_at;

namespace {

using Seconds = std::chrono::duration<double>;

Method method_of(const std::string& name) {
    static const std::map<std::string, Method> methods{{"GET", Method::get},
                                                       {"POST", Method::post},
                                                       {"PUT", Method::put},
                                                       {"PATCH", Method::patch},
                                                       {"DELETE", Method::del}};
    return methods.at(name);
}

std::string watched_kind(const lab::ResourceId& resource) {
    if (resource == lab::ResourceId{"", "pods"}) return "Pod";
    if (resource == lab::ResourceId{"", "events"}) return "Event";
    if (resource == lab::ResourceId{"kubevirt.io", "virtualmachineinstances"}) {
        return "VirtualMachineInstance";
    }
    if (resource == lab::ResourceId{"kubevirt.io", "virtualmachineinstancemigrations"}) {
        return "VirtualMachineInstanceMigration";
    }
    return "";
}

// Of an object the recordings keep what names it, of a Status everything.
Json kept_reply(const std::string& body) {
    const auto reply = kubeclient::parse_json(body, "reply");
    if (!reply.ok()) return body;
    const Json* metadata = find(*reply, "metadata");
    if (text_at(*reply, {"kind"}) == "Status" || metadata == nullptr) return *reply;
    Json names = Json::object();
    for (const char* key : {"name", "namespace", "uid", "resourceVersion"}) {
        names[key] = metadata->value(key, Json());
    }
    return {{"kind", reply->value("kind", "")}, {"metadata", std::move(names)}};
}

class Player {
public:
    explicit Player(const Session& recorded)
        : recorded_(recorded), stage_(recorded), begin_(stage_.world().now()) {
        seen_ = stage_.world().objects().revision();
        lab_.scene = recorded.scene;
    }

    Session play() {
        std::size_t shown = 0;
        for (const Action& action : recorded_.actions) {
            advance_to(action.at);
            // A recorded name can be translated once the recording itself has shown it.
            for (std::size_t i = shown; i < recorded_.sightings.size(); ++i) {
                if (recorded_.sightings[i].at > action.at) continue;
                for (; shown <= i; ++shown) recorded_names_.learn(recorded_.sightings[shown]);
            }
            act(action);
        }
        // What was under way when the recording ended shows in one of them only by chance.
        advance_to(recorded_.ends + 0.5);
        lab_.ends = recorded_.ends;
        return std::move(lab_);
    }

private:
    void advance_to(double at) {
        const auto when =
            begin_ + std::chrono::duration_cast<std::chrono::microseconds>(Seconds(at));
        if (when > stage_.world().now()) stage_.world().advance(when - stage_.world().now());
        look();
    }

    void look() {
        while (true) {
            const auto changes = stage_.world().objects().since(seen_);
            if (!changes || changes->empty()) return;
            for (const lab::Change& change : *changes) note(change);
            seen_ = changes->back().revision;
        }
    }

    void note(const lab::Change& change) {
        const std::string kind = watched_kind(change.resource);
        if (kind.empty()) return;
        // The recordings' node side was played and told no events.
        const auto teller = text_at(*change.object, {"source", "component"});
        if (kind == "Event" && (teller == "virt-handler" || teller == "kubelet")) return;
        // The quota's scene has pods that the recording does not show.
        if (kind == "Pod" &&
            find(*change.object, {"metadata", "labels", "kubevirt.io"}) == nullptr) {
            return;
        }
        static const char* const events[] = {"ADDED", "MODIFIED", "DELETED"};
        Sighting sighting{Seconds(stage_.world().now() - begin_).count(), kind,
                          events[static_cast<int>(change.type)], trimmed(kind, *change.object)};
        lab_names_.learn(sighting);
        lab_.sightings.push_back(std::move(sighting));
    }

    void act(const Action& action) {
        Action mine = action;
        mine.path = translated(action.path, recorded_names_, lab_names_);
        mine.request = translated(action.request, recorded_names_, lab_names_);
        if (action.path.ends_with("/virtualmachines")) copy_for_a_second(mine.request);
        if (action.sets_the_stage) {
            set_condition(mine);
            return;
        }
        const kubeclient::Response response =
            stage_.world().server().handle(stage_.admin(), request_of(mine));
        mine.status = response.status;
        mine.reply = kept_reply(response.body);
        lab_names_.learn(mine);
        recorded_names_.learn(action);
        lab_.actions.push_back(std::move(mine));
        stage_.world().settle();
        look();
    }

    // The recordings' memory was copied in a second whatever the bandwidth.
    static void copy_for_a_second(Json& machine) {
        Json& annotations = machine["spec"]["template"]["metadata"]["annotations"];
        if (!annotations.contains("sim/seconds")) annotations["sim/seconds"] = "1";
    }

    static kubeclient::Request request_of(const Action& action) {
        kubeclient::Request request;
        request.method = method_of(action.method);
        const std::size_t query = action.path.find('?');
        request.path = action.path.substr(0, query);
        // The recordings have dryRun=All and nothing else.
        if (query != std::string::npos) request.query.emplace_back("dryRun", "All");
        request.accept = action.accept;
        request.content_type = action.content_type;
        if (!action.request.is_null()) request.body = action.request.dump();
        return request;
    }

    // The recorded virt-handler wrote it without a cause; the lab's has a knob for that.
    void set_condition(const Action& action) {
        const std::string reason = text_at(action.request, {"reason"}).value_or("") + ": " +
                                   text_at(action.request, {"message"}).value_or("");
        const bool migratable = text_at(action.request, {"status"}) == "True";
        const Json knob{{"sim/unmigratable", migratable ? Json() : Json(reason)}};
        kubeclient::Request request;
        request.method = Method::patch;
        request.path = action.path;
        request.content_type = "application/merge-patch+json";
        request.body = Json{{"metadata", {{"annotations", knob}}}}.dump();
        stage_.world().server().handle(stage_.admin(), request);
        // The next request comes when the handler has seen the knob.
        stage_.world().advance(std::chrono::milliseconds(200));
        look();
    }

    const Session& recorded_;
    Stage stage_;
    kubeclient::Instant begin_;
    std::uint64_t seen_ = 0;
    Names recorded_names_{};
    Names lab_names_{};
    Session lab_{};
};

}  // namespace

Session played(const Session& recorded) {
    return Player(recorded).play();
}

}  // namespace lab_replay
