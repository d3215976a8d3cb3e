// What `migrate` says while it watches what KubeVirt's own control plane did: the recorded scenes,
// where they lie beside the project, as sessions. UPDATE_RECORDED=1 writes them anew.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "commands/render_migration_text.hpp"
#include "preflight/decode.hpp"
#include "recovery/cancellation.hpp"
#include "recovery/course.hpp"
#include "recovery/follower_queue.hpp"

namespace {

using kubeclient::Json;
using kubeclient::text_at;
using recovery::Course;
using recovery::Instant;

namespace fs = std::filesystem;

const fs::path kScenes = RECORDED_SCENES;
const fs::path kSessions = RECORDED_SESSIONS;
const Instant kBegin =
    std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + std::chrono::hours(3);

class Spectator {
public:
    void take(const Json& line) {
        const auto kind = line.value("kind", "");
        tick(kBegin + std::chrono::milliseconds(static_cast<int>(line.value("t", 0.0) * 1000)));
        if (kind == "Action") return take_action(line);
        if (!line.contains("object")) return;
        Json object = line.at("object");
        const bool deleted = line.at("event") == "DELETED";
        std::string problem;
        const preflight::Fields fields(object, "", problem);
        if (kind == "VirtualMachineInstanceMigration") {
            put(sight_.migrations, preflight::decode_migration(fields), deleted);
        } else if (kind == "VirtualMachineInstance") {
            put(sight_.vmis, preflight::decode_vmi(fields), deleted);
        } else if (kind == "Pod") {
            put(sight_.launchers, preflight::decode_pod(fields), deleted);
        } else if (kind == "Event" && object.value("type", "") == "Warning") {
            auto warning = preflight::decode_warning(fields);
            warning.object_uid = uid_of(warning);
            sight_.warnings.items[std::to_string(sight_.warnings.items.size())] = warning;
        }
        CAPTURE(line.dump());
        CHECK(problem == "");
        look();
    }

    // What is still open gets the time it would wait for.
    std::string end() {
        tick(now_ + std::chrono::seconds(70));
        for (const auto& course : courses_) {
            if (!course.over()) text_ += course.of().vmi + " is still under way\n";
        }
        return text_;
    }

private:
    template <class T>
    void put(recovery::Seen<recovery::NamedIn, T>& seen, T item, bool deleted) {
        seen.complete = true;
        const recovery::NamedIn key{item.meta.ns, item.meta.name};
        seen.items.erase(key);
        if (!deleted) seen.items.emplace(key, std::move(item));
    }

    // The recordings name the objects of events, but leave out their uids.
    std::string uid_of(const facts::Warning& warning) const {
        const auto of = [&](const auto& seen) {
            for (const auto& [key, item] : seen.items) {
                if (key.second == warning.name) return item.meta.uid;
            }
            return std::string();
        };
        if (warning.kind == "VirtualMachineInstanceMigration") return of(sight_.migrations);
        if (warning.kind == "VirtualMachineInstance") return of(sight_.vmis);
        return of(sight_.launchers);
    }

    void take_action(const Json& line) {
        const auto method = line.value("method", "");
        const auto path = line.value("path", "");
        const bool made = method == "POST" && line.value("status", 0) == 201 &&
                          path.ends_with("/virtualmachineinstancemigrations");
        if (method == "DELETE" && path.find("migrations/") != std::string::npos) {
            tell_cancel(path.substr(path.rfind('/') + 1));
        }
        if (!made) return;
        recovery::CourseOf of;
        of.ns = "prod";
        of.vmi = text_at(line, {"request", "spec", "vmiName"}).value_or("");
        of.vmim = text_at(line, {"body", "metadata", "name"}).value_or("");
        of.vmim_uid = text_at(line, {"body", "metadata", "uid"}).value_or("");
        const auto* vmi = sight_.vmis.find({"prod", of.vmi});
        REQUIRE(vmi != nullptr);
        of.vmi_uid = vmi->meta.uid;
        of.source_node = vmi->node;
        of.size = 1 << 30;
        text_ += "$ virt-handoff migrate " + of.vmi + "\n";
        courses_.emplace_back(of);
        look();
    }

    void tick(Instant until) {
        for (; now_ < until; now_ += std::chrono::milliseconds(500)) look();
        now_ = until;
    }

    // What `cancel` would say of the deletion that was recorded.
    void tell_cancel(const std::string& migration) {
        const auto* known = sight_.migrations.find({"prod", migration});
        if (known == nullptr || known->finished()) return;
        facts::Migration before = *known;
        before.meta.deleting = false;  // the reply was recorded after what follows from it
        recovery::Cancelled cancelled;
        cancelled.migration = &before;
        cancelled.vmi = sight_.vmis.find({"prod", cancelled.migration->vmi});
        text_ += "$ virt-handoff cancel " + cancelled.migration->vmi + "\n  " +
                 recovery::plan_cancel(cancelled).effect + "\n";
    }

    // As the follower does while somebody waits; here everything is in sight.
    void count_queue() {
        std::vector<facts::Migration> migrations;
        std::set<std::string> targets;
        for (const auto& [key, each] : sight_.migrations.items) migrations.push_back(each);
        for (const auto& [key, pod] : sight_.launchers.items) {
            const auto label = pod.meta.labels.find("kubevirt.io/migrationJobUID");
            if (label != pod.meta.labels.end()) targets.insert(label->second);
        }
        recovery::Queue queue;
        queue.at = now_;
        for (const auto& each : recovery::counted(migrations, targets)) {
            ++queue.running;
            const auto* vmi = sight_.vmis.find({each.meta.ns, each.vmi});
            if (vmi != nullptr) ++queue.outbound[vmi->node];
        }
        sight_.queue = queue;
    }

    void look() {
        count_queue();
        sight_.attachments.complete = true;
        for (auto& course : courses_) {
            for (const auto& event : course.look(sight_, now_)) {
                text_ += commands::render_event_line(event, {});
                if (!event.outcome) continue;
                text_ += "# exit code " + std::to_string(recovery::exit_code_of({*event.outcome})) +
                         "\n";
            }
        }
    }

    recovery::Sight sight_{};
    std::vector<Course> courses_{};
    Instant now_ = kBegin;
    std::string text_{};
};

std::string session_of(const fs::path& scene) {
    std::ifstream in(scene);
    Spectator spectator;
    for (std::string line; std::getline(in, line);) {
        const auto json = Json::parse(line);
        if (json.contains("kind")) spectator.take(json);
    }
    return spectator.end();
}

std::string contents(const fs::path& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("each recorded scene is told as its session says") {
    if (!fs::exists(kScenes)) {
        MESSAGE("the recorded scenes are not beside the project: nothing is compared");
        return;
    }
    for (const auto* name :
         {"success", "source-failed", "cancel-pending", "cancel-scheduling", "cancel-running",
          "cancel-preparing-target", "cancel-target-ready", "pending-timeout",
          "unschedulable-timeout", "target-pod-removed", "second-while-first", "queue-outbound",
          "queue-outbound-free", "quota", "two-launchers", "policy", "vmi-deleted"}) {
        CAPTURE(name);
        const auto told = session_of(kScenes / (std::string(name) + ".jsonl"));
        const auto file = kSessions / (std::string(name) + ".txt");
        if (std::getenv("UPDATE_RECORDED") != nullptr) std::ofstream(file) << told;
        CHECK(told == contents(file));
    }
}
