// Launchers and the guests in them.
#include <algorithm>

#include "lab/hardware/hardware.hpp"

namespace lab {

namespace {

bool writes(QemuState state) {
    return state == QemuState::running || state == QemuState::post_copy;
}

bool has_guest(QemuState state) {
    return writes(state) || state == QemuState::paused;
}

}  // namespace

void Hardware::start_launcher(const std::string& pod_uid, const std::string& vmi,
                              const std::string& node, Duration patience) {
    settle();
    const Launcher& launcher =
        launchers_.try_emplace(pod_uid, Launcher{pod_uid, vmi, node, {}, clock_(), patience})
            .first->second;
    waiting_.emplace(launcher.started + launcher.patience, pod_uid);
}

// A launcher to which no guest comes ends. One that is receiving has seen it come.
void Hardware::give_up(Instant now) {
    for (auto place = waiting_.begin(); place != waiting_.end() && place->first <= now;) {
        Launcher& launcher = launchers_.at(place->second);
        const bool done = has_guest(launcher.qemu) || launcher.guest_left || launcher.exit_code;
        const bool receives = std::any_of(
            running_.begin(), running_.end(),
            [&](const std::string& uid) { return jobs_.at(uid).target_pod == launcher.pod_uid; });
        const bool late = !done && !receives;
        if (late) {
            set_qemu(launcher, QemuState::none, now);
            launcher.exit_code = 1;
        }
        place = done || late ? waiting_.erase(place) : std::next(place);
    }
}

void Hardware::start_guest(const std::string& pod_uid, std::vector<std::string> disks) {
    Launcher* launcher = find(pod_uid);
    if (launcher == nullptr || launcher->exit_code || launcher->qemu != QemuState::none) return;
    launcher->disks = std::move(disks);
    set_qemu(*launcher, QemuState::running, clock_());
    note(GuestEvent::started, *launcher, clock_());
}

void Hardware::expect_guest(const std::string& pod_uid, std::vector<std::string> disks) {
    Launcher* launcher = find(pod_uid);
    if (launcher == nullptr || launcher->exit_code || launcher->qemu != QemuState::none) return;
    launcher->disks = std::move(disks);
    set_qemu(*launcher, QemuState::incoming, clock_());
}

void Hardware::pause_guest(const std::string& pod_uid) {
    Launcher* launcher = find(pod_uid);
    if (launcher == nullptr || launcher->qemu != QemuState::running) return;
    set_qemu(*launcher, QemuState::paused, clock_());
    note(GuestEvent::paused, *launcher, clock_());
}

void Hardware::resume_guest(const std::string& pod_uid) {
    Launcher* launcher = find(pod_uid);
    if (launcher == nullptr || launcher->qemu != QemuState::paused) return;
    set_qemu(*launcher, QemuState::running, clock_());
    note(GuestEvent::resumed, *launcher, clock_());
}

void Hardware::end_launcher(const std::string& pod_uid, int exit_code) {
    Launcher* launcher = find(pod_uid);
    if (launcher == nullptr || launcher->exit_code) return;
    const Instant now = clock_();
    const bool had_guest = has_guest(launcher->qemu);
    // Before the guest goes: a migration of it ends by its peer's closed socket.
    for (const std::string& uid : running_) {
        MigrationJob& job = jobs_.at(uid);
        if (job.state != JobState::running) continue;
        if (job.source_pod != pod_uid && job.target_pod != pod_uid) continue;
        if (job.mode == JobMode::post_copy) {
            split(job, now);
        } else {
            fail(job, now,
                 "Live migration failed virError(Code=1, Domain=7, Message='internal error: "
                 "client socket is closed')");
        }
    }
    if (exit_code == 0 && has_guest(launcher->qemu)) {
        set_qemu(*launcher, QemuState::none, now);
        note(GuestEvent::stopped, *launcher, now);
    } else if (had_guest) {
        lose(*launcher, now);
    } else {
        set_qemu(*launcher, QemuState::none, now);
    }
    launcher->exit_code = exit_code;
}

std::vector<const Launcher*> Hardware::guests_on(const std::string& node) {
    settle();
    std::vector<const Launcher*> guests;
    for (const auto& [uid, launcher] : launchers_) {
        if (launcher.node == node && writes(launcher.qemu)) guests.push_back(&launcher);
    }
    return guests;
}

Launcher* Hardware::find(const std::string& pod_uid) {
    settle();
    const auto place = launchers_.find(pod_uid);
    return place == launchers_.end() ? nullptr : &place->second;
}

void Hardware::set_qemu(Launcher& launcher, QemuState state, Instant at) {
    if (writes(launcher.qemu) && !writes(state)) ledger_.write_ends(launcher.pod_uid, at);
    if (!writes(launcher.qemu) && writes(state)) {
        for (const std::string& disk : launcher.disks) {
            ledger_.write_begins(
                {disk, launcher.node, launcher.vmi, launcher.pod_uid, at, std::nullopt});
        }
    }
    launcher.qemu = state;
    if (has_guest(state)) {
        waiting_.erase({launcher.started + launcher.patience, launcher.pod_uid});
    }
}

void Hardware::lose(Launcher& launcher, Instant at) {
    if (has_guest(launcher.qemu)) note(GuestEvent::lost, launcher, at);
    set_qemu(launcher, QemuState::none, at);
}

void Hardware::note(GuestEvent event, const Launcher& launcher, Instant at) {
    ledger_.note({event, launcher.vmi, launcher.node, at});
}

}  // namespace lab
