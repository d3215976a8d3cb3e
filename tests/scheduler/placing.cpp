// Reads {"objects": […], "pod": {…}} from stdin, pins the pod to each node in turn, and prints what
// the scheduler's rules say: {"NODE": {"fits": …, "message": …}}.
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "preflight/decode_scheduling.hpp"
#include "preflight/scheduling.hpp"

namespace {

using kubeclient::Json;

// As asked of the real scheduler: one pod that only this node may run.
facts::SchedulerPod pinned(facts::SchedulerPod pod, const std::string& node) {
    auto& terms = pod.placement.required_terms;
    if (!terms) terms.emplace(1);
    for (auto& term : *terms) term.fields.push_back({"metadata.name", "In", {node}});
    return pod;
}

}  // namespace

int main() {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    const auto question = kubeclient::parse_json(text, "stdin");
    if (!question.ok()) {
        std::cerr << "error: " << question.error().message << '\n';
        return 1;
    }
    facts::SchedulerView view;
    for (const auto& object : kubeclient::items_at(*question, {"objects"})) {
        preflight::put_object(view, object);
    }
    const auto* json = kubeclient::find(*question, "pod");
    if (json == nullptr) {
        std::cerr << "error: stdin has no pod\n";
        return 1;
    }
    const auto pod = preflight::decode_scheduler_pod(*json);
    Json answer = Json::object();
    for (const auto& [name, state] : view.nodes) {
        if (!state.node) continue;
        const auto there = pinned(pod, name);
        const auto placing = preflight::place(view, there);
        const bool fits = !placing.fitting().empty();
        answer[name] = {{"fits", fits},
                        {"message", preflight::describe_placing(view, there, placing)}};
    }
    std::cout << kubeclient::to_indented(answer) << '\n';
}
