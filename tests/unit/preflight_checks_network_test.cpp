// PORT-001, NET-001 … NET-004, BAND-001, BAND-002.
#include "tests/unit/preflight_builders.hpp"

using namespace preflight;
using namespace preflight::builders;
using facts::Binding;
using facts::Snapshot;

namespace {

std::function<void(Snapshot&)> bind(Binding binding, std::string version = "v1.9.0") {
    return [binding, version](Snapshot& all) {
        guest_of(all).interfaces.front().binding = binding;
        kubevirt_in(all).observed_version = version;
    };
}

// A dedicated migration network that is in place on every handler.
void use_migration_network(Snapshot& all) {
    kubevirt_in(all).migrations.network = "migration";
    all.attachments.items = {{meta("kubevirt", "migration")}};
    all.handler_sets.items.front().networks = "migration@migration0";
    for (auto& handler : all.handlers.items) handler.interfaces["migration0"] = {"10.0.0.1"};
}

std::function<void(Snapshot&)> network_but(std::function<void(Snapshot&)> change) {
    return [change](Snapshot& all) {
        use_migration_network(all);
        change(all);
    };
}

std::function<void(Snapshot&)> policy(facts::NetworkPolicy policy) {
    return [policy](Snapshot& all) {
        auto named = policy;
        named.meta = meta("kubevirt", "p" + std::to_string(all.network_policies.items.size()));
        all.network_policies.items.push_back(named);
    };
}

}  // namespace

TEST_CASE("PORT-001 warns of migration ports only where the transport is no unix socket") {
    const auto ports = [](std::string transport, std::vector<std::int64_t> list) {
        return [transport, list](Snapshot& all) {
            vmi_of(all).migration_transport = transport;
            guest_of(all).interfaces.front().ports = list;
        };
    };
    expect("PORT-001", {{"unix", unchanged, Verdict::pass},
                        {"unix, and the port is listed", ports("Unix", {49152}), Verdict::pass},
                        {"old, 49152", ports("", {80, 49152}), Verdict::warn},
                        {"old, 49153", ports("", {49153}), Verdict::warn},
                        {"old, 22222", ports("", {22222}), Verdict::warn},
                        {"old, the neighbours", ports("", {49151, 49154, 22221}), Verdict::pass},
                        {"old, all ports", ports("", {}), Verdict::pass},
                        {"old, listed at a bridge",
                         [&](Snapshot& all) {
                             ports("", {49152})(all);
                             guest_of(all).interfaces.front().binding = Binding::bridge;
                         },
                         Verdict::pass}});
    expect("PORT-001", {{"stopped", unchanged, Verdict::pass}}, stopped);
}

TEST_CASE("NET-001 lets only what migrates stand on the pod network") {
    const auto annotated = [](Snapshot& all) {
        bind(Binding::bridge)(all);
        vmi_of(all).meta.annotations["kubevirt.io/allow-pod-bridge-network-live-migration"] = "";
    };
    expect(
        "NET-001",
        {{"masquerade", unchanged, Verdict::pass},
         {"bridge", bind(Binding::bridge), Verdict::fail},
         {"bridge with the annotation, whatever its value", annotated, Verdict::pass},
         {"bridge with a label of that name",
          [](Snapshot& all) {
              bind(Binding::bridge)(all);
              vmi_of(all).meta.labels["kubevirt.io/allow-pod-bridge-network-live-migration"] =
                  "true";
          },
          Verdict::fail},
         {"passt in 1.8", bind(Binding::passt, "v1.8.0"), Verdict::pass},
         {"passt in 1.7", bind(Binding::passt, "v1.7.4"), Verdict::fail},
         {"slirp", bind(Binding::slirp), Verdict::fail},
         {"macvtap", bind(Binding::macvtap), Verdict::fail},
         {"no binding", bind(Binding::none), Verdict::fail},
         {"bridge on a secondary network",
          [](Snapshot& all) {
              bind(Binding::bridge)(all);
              guest_of(all).networks.front() = {"default", false};
          },
          Verdict::pass},
         {"no interface", [](Snapshot& all) { guest_of(all).interfaces.clear(); }, Verdict::pass},
         {"an interface of another name, 1.9",
          [](Snapshot& all) { guest_of(all).interfaces.front().name = "x"; }, Verdict::fail},
         {"an interface of another name, 1.7",
          [](Snapshot& all) {
              guest_of(all).interfaces.front().name = "x";
              kubevirt_in(all).observed_version = "v1.7.0";
          },
          Verdict::pass}});
}

TEST_CASE("NET-001 asks the KubeVirt CR whether a binding plugin migrates") {
    const auto plugin = [](std::string name) {
        return [name](Snapshot& all) {
            bind(Binding::plugin)(all);
            guest_of(all).interfaces.front().plugin = name;
            kubevirt_in(all).bindings = {{"good", true}, {"bad", false}};
        };
    };
    expect("NET-001", {{"migrates", plugin("good"), Verdict::pass},
                       {"does not", plugin("bad"), Verdict::fail},
                       {"not registered", plugin("other"), Verdict::fail},
                       {"letter case counts", plugin("Good"), Verdict::fail},
                       {"CR unread",
                        [&](Snapshot& all) {
                            plugin("good")(all);
                            unread(all, all.kubevirts, "kubevirts");
                        },
                        Verdict::unknown, "kubevirts"}});
}

TEST_CASE("NET-001 adds the default interface to a stopped VM that names none") {
    const auto bare = [](std::string configured) {
        return [configured](Snapshot& all) {
            auto& guest = all.vms.items.front().guest;
            guest.networks.clear();
            guest.interfaces.clear();
            kubevirt_in(all).default_network_interface = configured;
        };
    };
    expect("NET-001",
           {{"bridge is the default", bare(""), Verdict::fail},
            {"masquerade configured", bare("masquerade"), Verdict::pass},
            {"none is attached",
             [&](Snapshot& all) {
                 bare("")(all);
                 all.vms.items.front().guest.autoattach_pod_interface = false;
             },
             Verdict::pass},
            {"CR unread",
             [&](Snapshot& all) {
                 bare("")(all);
                 unread(all, all.kubevirts, "kubevirts");
             },
             Verdict::unknown, "kubevirts"}},
           stopped);
}

TEST_CASE("NET-002 warns of SR-IOV interfaces") {
    expect("NET-002", {{"none", unchanged, Verdict::skipped},
                       {"one",
                        [](Snapshot& all) {
                            guest_of(all).interfaces.push_back({"fast", Binding::sriov, {}, {}});
                        },
                        Verdict::warn}});
}

TEST_CASE("NET-003 wants the migration network on every virt-handler") {
    expect(
        "NET-003",
        {{"none", unchanged, Verdict::skipped},
         {"in place", use_migration_network, Verdict::pass},
         {"no attachment", network_but([](Snapshot& all) { all.attachments.items.clear(); }),
          Verdict::warn},
         {"an attachment of another namespace",
          network_but([](Snapshot& all) { all.attachments.items.front().meta.ns = "prod"; }),
          Verdict::warn},
         {"attachments unread: the handlers tell",
          network_but([](Snapshot& all) { unread(all, all.attachments, "nads"); }), Verdict::pass},
         {"not on the DaemonSet",
          network_but([](Snapshot& all) { all.handler_sets.items.front().networks = ""; }),
          Verdict::warn},
         {"another network on the DaemonSet", network_but([](Snapshot& all) {
              all.handler_sets.items.front().networks = "other@migration0";
          }),
          Verdict::warn},
         {"rollout goes on",
          network_but([](Snapshot& all) { all.handler_sets.items.front().updated = 1; }),
          Verdict::warn},
         {"a handler is not ready",
          network_but([](Snapshot& all) { all.handler_sets.items.front().ready = 1; }),
          Verdict::warn},
         {"generation not seen yet",
          network_but([](Snapshot& all) { all.handler_sets.items.front().observed = false; }),
          Verdict::warn},
         {"one handler lacks it",
          network_but([](Snapshot& all) { all.handlers.items.back().interfaces.clear(); }),
          Verdict::warn},
         {"one handler has it without an address", network_but([](Snapshot& all) {
              all.handlers.items.back().interfaces["migration0"].clear();
          }),
          Verdict::warn},
         {"handlers unread",
          network_but([](Snapshot& all) { unread(all, all.handlers, "handlers"); }),
          Verdict::unknown, "handlers"},
         {"DaemonSet unread",
          network_but([](Snapshot& all) { unread(all, all.handler_sets, "sets"); }),
          Verdict::unknown, "sets"},
         {"CR unread", [](Snapshot& all) { unread(all, all.kubevirts, "kubevirts"); },
          Verdict::unknown, "kubevirts"}});
}

TEST_CASE("NET-003 does not take a network for one whose name ends alike") {
    auto all = healthy();
    use_migration_network(all);
    all.handler_sets.items.front().networks = "old-migration@migration0";
    CHECK(run(all, "NET-003").front().verdict == Verdict::warn);
    all.handler_sets.items.front().networks = "migration@migration01";
    CHECK(run(all, "NET-003").front().verdict == Verdict::warn);
    for (const auto* good : {"a, migration@migration0,b@c", "kubevirt/migration@migration0"}) {
        all.handler_sets.items.front().networks = good;
        CHECK(run(all, "NET-003").front().verdict == Verdict::pass);
    }
}

TEST_CASE("NET-004 warns where policies keep virt-handlers apart") {
    facts::NetworkPolicy deny;
    deny.selector = {{"kubevirt.io", "In", {"virt-handler"}}};
    deny.ingress = true;
    auto allow = deny;
    allow.allows_handlers_in = true;
    auto deny_out = deny;
    deny_out.ingress = false;
    deny_out.egress = true;
    auto unrelated = deny;
    unrelated.selector = {{"kubevirt.io", "In", {"virt-api"}}};
    expect("NET-004",
           {{"no policy", unchanged, Verdict::pass},
            {"deny in", policy(deny), Verdict::warn},
            {"deny out", policy(deny_out), Verdict::warn},
            {"denied by one, allowed by another",
             [&](Snapshot& all) {
                 policy(deny)(all);
                 policy(allow)(all);
             },
             Verdict::pass},
            {"allowed in, denied out",
             [&](Snapshot& all) {
                 policy(allow)(all);
                 policy(deny_out)(all);
             },
             Verdict::warn},
            {"of other pods", policy(unrelated), Verdict::pass},
            {"of another namespace",
             [&](Snapshot& all) {
                 policy(deny)(all);
                 all.network_policies.items.front().meta.ns = "prod";
             },
             Verdict::pass},
            {"unread", [](Snapshot& all) { unread(all, all.network_policies, "netpol"); },
             Verdict::unknown, "netpol"},
            {"CR unread, so KubeVirt's namespace is not known",
             [&](Snapshot& all) {
                 policy(allow)(all);
                 unread(all, all.kubevirts, "kubevirts");
             },
             Verdict::unknown, "kubevirts"}});
}

TEST_CASE("BAND-001 wants time for one pass over the memory") {
    // 8 GiB are 9 decimal GB, so 1350 s; at 8 GiB / 1350 s that is 6362914 bytes per second.
    const auto bandwidth = [](std::int64_t rate) {
        return [rate](Snapshot& all) { kubevirt_in(all).migrations.bandwidth = rate; };
    };
    expect("BAND-001",
           {{"unlimited", unchanged, Verdict::pass},
            {"enough", bandwidth(6'400'000), Verdict::pass},
            {"not enough", bandwidth(6'000'000), Verdict::warn},
            {"KubeVirt gives no less than 1 MiB/s", bandwidth(1), Verdict::warn},
            {"no time limit",
             [&](Snapshot& all) {
                 bandwidth(6'000'000)(all);
                 kubevirt_in(all).migrations.completion_timeout_per_gib = 0;
             },
             Verdict::pass},
            {"memory not known",
             [&](Snapshot& all) {
                 bandwidth(1)(all);
                 guest_of(all).memory_guest.reset();
             },
             Verdict::pass},
            {"KubeVirt unread", [](Snapshot& all) { unread(all, all.kubevirts, "kubevirts"); },
             Verdict::unknown, "kubevirts"},
            {"policies unread", [](Snapshot& all) { unread(all, all.policies, "policies"); },
             Verdict::unknown, "policies"}});
}

TEST_CASE("BAND-001 tells what happens at the time limit") {
    const auto seen = [](std::optional<bool> post_copy, std::optional<bool> disruption) {
        auto all = healthy();
        kubevirt_in(all).migrations.allow_post_copy = post_copy;
        kubevirt_in(all).migrations.allow_workload_disruption = disruption;
        return run(all, "BAND-001").front().seen;
    };
    CHECK(seen({}, {}).ends_with("time limit 1350 s, then aborted"));
    CHECK(seen({}, true).ends_with("time limit 1350 s, then the guest is paused"));
    CHECK(seen(true, {}).ends_with("time limit 1350 s, then post-copy"));
    CHECK(seen(true, false).ends_with("time limit 1350 s, then aborted"));
}

TEST_CASE("BAND-002 warns where safety is switched off, of each switch") {
    const auto unsafe = [](Snapshot& all) { kubevirt_in(all).migrations.unsafe_override = true; };
    const auto plain = [](Snapshot& all) { kubevirt_in(all).migrations.disable_tls = true; };
    expect("BAND-002", {{"both on", unchanged, Verdict::pass},
                        {"unsafe", unsafe, Verdict::warn},
                        {"no TLS", plain, Verdict::warn},
                        {"said, and off",
                         [](Snapshot& all) { kubevirt_in(all).migrations.unsafe_override = false; },
                         Verdict::pass},
                        {"unread", [](Snapshot& all) { unread(all, all.kubevirts, "kubevirts"); },
                         Verdict::unknown, "kubevirts"}});
    auto all = healthy();
    unsafe(all);
    plain(all);
    CHECK(run(all, "BAND-002").size() == 2);
}

TEST_CASE("NET-004 matches policies with the labels that the handler pods have") {
    const auto deny = [](std::vector<facts::Requirement> selector) {
        facts::NetworkPolicy result;
        result.selector = std::move(selector);
        result.ingress = true;
        return result;
    };
    const facts::Requirement by_app{"app", "In", {"handlers"}};
    const auto label = [](Snapshot& all, std::size_t count) {
        for (std::size_t at = 0; at < count; ++at) {
            all.handlers.items[at].meta.labels["app"] = "handlers";
        }
    };
    expect("NET-004", {{"every pod", policy(deny({})), Verdict::warn},
                       {"a label that no handler has", policy(deny({by_app})), Verdict::pass},
                       {"a label that all have",
                        [&](Snapshot& all) {
                            label(all, 2);
                            policy(deny({by_app}))(all);
                        },
                        Verdict::warn},
                       {"a label that one has",
                        [&](Snapshot& all) {
                            label(all, 1);
                            policy(deny({by_app}))(all);
                        },
                        Verdict::warn},
                       {"one of two requirements",
                        [&](Snapshot& all) {
                            label(all, 2);
                            policy(deny({by_app, {"zone", "Exists", {}}}))(all);
                        },
                        Verdict::pass},
                       {"all but the API", policy(deny({{"kubevirt.io", "NotIn", {"virt-api"}}})),
                        Verdict::warn},
                       {"handlers unread: they have their own label",
                        [&](Snapshot& all) {
                            unread(all, all.handlers, "handlers");
                            policy(deny({{"kubevirt.io", "In", {"virt-handler"}}}))(all);
                        },
                        Verdict::warn}});
}

TEST_CASE("NET-004 takes no policy for none where files hold one of KubeVirt's namespace") {
    const auto of = [](std::string ns) {
        facts::NetworkPolicy other;
        other.meta = meta(ns, "p");
        other.selector = {{"app", "In", {"x"}}};
        other.ingress = true;
        return other;
    };
    const auto hold = [&](std::vector<facts::NetworkPolicy> policies, std::string gap) {
        return [=](Snapshot& all) {
            all.network_policies.complete = false;
            all.network_policies.gap = gap;
            all.network_policies.items = policies;
        };
    };
    const std::string resource = "networkpolicies.networking.k8s.io";
    expect("NET-004",
           {{"one of KubeVirt's namespace", hold({of("kubevirt")}, ""), Verdict::pass},
            {"one of the VM's namespace", hold({of("prod")}, ""), Verdict::unknown, resource},
            {"nothing", hold({}, ""), Verdict::unknown, resource},
            {"one of KubeVirt's namespace, another was not understood",
             hold({of("kubevirt")}, "netpol"), Verdict::unknown, "netpol"}});
}

TEST_CASE("BAND-001 tells when a migration without progress is aborted") {
    const auto seen = [](std::optional<std::int64_t> timeout) {
        auto all = healthy();
        kubevirt_in(all).migrations.progress_timeout = timeout;
        return run(all, "BAND-001").front().seen;
    };
    CHECK(seen({}).find(", aborted after 150 s without progress, time limit") != std::string::npos);
    CHECK(seen(7).find(", aborted after 7 s without progress, time limit") != std::string::npos);
    CHECK(seen(0).find("progress") == std::string::npos);
}

TEST_CASE("BAND-001 tells the time limit as far as it is known") {
    auto all = healthy();
    guest_of(all).memory_guest.reset();
    CHECK(run(all, "BAND-001").front().seen.ends_with(", time limit 150 s per GB"));
    kubevirt_in(all).migrations.completion_timeout_per_gib = 0;
    CHECK(run(all, "BAND-001").front().seen.ends_with(", no time limit"));
    auto copying = healthy();
    guest_of(copying).volumes.push_back(
        {"cloud", facts::VolumeKind::other, "cloudInitNoCloud", {}, false});
    guest_of(copying).disks.push_back({.name = "cloud"});
    CHECK(judge_one(copying).recomputed.migration_method == "BlockMigration");
    CHECK(run(copying, "BAND-001")
              .front()
              .seen.ends_with(", time limit 1350 s and 150 s per GB of local disks, then aborted"));
}
