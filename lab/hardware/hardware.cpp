#include "lab/hardware/hardware.hpp"

#include <algorithm>

namespace lab {

namespace {

std::pair<std::string, std::string> ordered(const std::string& one, const std::string& other) {
    return std::minmax(one, other);
}

}  // namespace

void Hardware::add_machine(const std::string& name) {
    Machine& machine = machines_[name];
    machine.name = name;
    machine.boot_id = name + "-boot-" + std::to_string(++boots_);
}

const Machine* Hardware::machine(const std::string& name) const {
    const auto place = machines_.find(name);
    return place == machines_.end() ? nullptr : &place->second;
}

Machine* Hardware::find_machine(const std::string& name) {
    settle();
    const auto place = machines_.find(name);
    return place == machines_.end() ? nullptr : &place->second;
}

void Hardware::power_off(const std::string& node) {
    Machine* machine = find_machine(node);
    if (machine == nullptr || !machine->powered) return;
    machine->powered = false;
    const Instant now = clock_();
    mark_broken(now);
    for (auto& [uid, launcher] : launchers_) {
        if (launcher.node != node || launcher.exit_code) continue;
        lose(launcher, now);
        launcher.exit_code = 137;
    }
}

void Hardware::power_on(const std::string& node) {
    Machine* machine = find_machine(node);
    if (machine == nullptr || machine->powered) return;
    machine->powered = true;
    machine->kubelet_runs = true;
    machine->handler_runs = true;
    machine->boot_id = node + "-boot-" + std::to_string(++boots_);
}

void Hardware::cut_from_api(const std::string& node) {
    if (Machine* machine = find_machine(node)) machine->api_reachable = false;
}

void Hardware::reconnect_to_api(const std::string& node) {
    if (Machine* machine = find_machine(node)) machine->api_reachable = true;
}

void Hardware::stop_kubelet(const std::string& node) {
    if (Machine* machine = find_machine(node)) machine->kubelet_runs = false;
}

void Hardware::start_kubelet(const std::string& node) {
    if (Machine* machine = find_machine(node)) machine->kubelet_runs = true;
}

void Hardware::stop_handler(const std::string& node) {
    if (Machine* machine = find_machine(node)) machine->handler_runs = false;
}

void Hardware::start_handler(const std::string& node) {
    if (Machine* machine = find_machine(node)) machine->handler_runs = true;
}

void Hardware::set_link(const std::string& one, const std::string& other, Link link) {
    settle();
    links_[ordered(one, other)] = link;
}

Link Hardware::link(const std::string& one, const std::string& other) const {
    const auto place = links_.find(ordered(one, other));
    return place == links_.end() ? Link{} : place->second;
}

void Hardware::cut(const std::string& one, const std::string& other) {
    settle();
    cuts_.insert(ordered(one, other));
    mark_broken(clock_());
}

void Hardware::mend(const std::string& one, const std::string& other) {
    settle();
    cuts_.erase(ordered(one, other));
    mark_broken(clock_());
}

void Hardware::isolate(const std::string& node) {
    cut_from_api(node);
    isolated_.insert(node);
    mark_broken(clock_());
}

void Hardware::rejoin(const std::string& node) {
    reconnect_to_api(node);
    isolated_.erase(node);
    mark_broken(clock_());
}

bool Hardware::reachable(const std::string& one, const std::string& other) const {
    const auto up = [&](const std::string& node) {
        const Machine* found = machine(node);
        return found != nullptr && found->powered;
    };
    if (!up(one) || !up(other)) return false;
    if (one == other) return true;
    return !cuts_.contains(ordered(one, other)) && !isolated_.contains(one) &&
           !isolated_.contains(other);
}

Load Hardware::load(const std::string& vmi) const {
    const auto place = loads_.find(vmi);
    return place == loads_.end() ? Load{} : place->second;
}

const Ledger& Hardware::ledger() {
    settle();
    return ledger_;
}

}  // namespace lab
