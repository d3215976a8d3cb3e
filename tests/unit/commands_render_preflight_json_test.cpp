#include "commands/render_preflight_json.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kubeclient/yaml.hpp"
#include "tests/unit/commands_preflight_report.hpp"

using commands::error_report;
using commands::render_preflight_json;
using commands::render_preflight_yaml;
using nlohmann::json;
using preflight::Verdict;

TEST_CASE("a report without VMs has every key, in the order in which people read") {
    auto report = samples::report({});
    CHECK(render_preflight_json(report, "0.1.0") == R"({
  "apiVersion": "virt-handoff/v1",
  "kind": "PreflightReport",
  "takenAt": "2026-01-02T03:04:05Z",
  "source": "cluster https://10.0.0.1:6443",
  "toolVersion": "0.1.0",
  "kubevirtVersion": "v1.8.4",
  "rules": "1.8",
  "exitCode": 0,
  "items": [],
  "gaps": [],
  "summary": {
    "total": 0,
    "pass": 0,
    "warn": 0,
    "fail": 0,
    "unknown": 0
  },
  "error": null
}
)");
}

TEST_CASE("one VM has every key and null where nothing is known") {
    auto vm = samples::item("prod", "db", Verdict::unknown);
    vm.checks = {samples::result(samples::kCpu, Verdict::unknown)};
    auto report = samples::report({vm});
    report.exit_code = 3;
    const auto text = render_preflight_json(report, "0.1.0");
    const auto from = text.find("  \"items\"");
    CHECK(text.substr(from, text.find("  \"gaps\": [],\n  \"summary\"") - from) == R"(  "items": [
    {
      "namespace": "prod",
      "name": "db",
      "kind": "VirtualMachine",
      "uid": null,
      "node": null,
      "verdict": "unknown",
      "kubevirt": {
        "reported": {
          "LiveMigratable": null,
          "StorageLiveMigratable": null,
          "migrationMethod": null
        },
        "recomputed": {
          "LiveMigratable": {
            "status": "Unknown",
            "reason": null,
            "message": null
          },
          "StorageLiveMigratable": {
            "status": "Unknown",
            "reason": null,
            "message": null
          },
          "migrationMethod": null,
          "reasons": []
        },
        "agrees": null,
        "differs": []
      },
      "checks": [
        {
          "id": "CPU-002",
          "verdict": "unknown",
          "severity": "blocking",
          "title": "Another node has the CPU model",
          "subject": {
            "kind": "VirtualMachine",
            "namespace": "prod",
            "name": "web"
          },
          "seen": null,
          "needed": null,
          "why": null,
          "fix": {
            "text": null,
            "commands": []
          },
          "gaps": []
        }
      ]
    }
  ],
)");
}

TEST_CASE("everything that is known is in the document") {
    auto report = samples::report({samples::troubled()});
    report.gaps = {samples::forbidden_nodes()};
    report.exit_code = 3;
    const auto document = json::parse(render_preflight_json(report, "0.1.0"));
    CHECK(document["exitCode"] == 3);
    const auto& gap = document["gaps"][0];
    CHECK(gap.size() == 4);
    CHECK(gap["id"] == "nodes");
    CHECK(gap["verb"] == "list");
    CHECK(gap["resource"] == "nodes");
    CHECK(gap["reason"] == samples::forbidden_nodes().reason);
    const auto& item = document["items"][0];
    CHECK(item["uid"] == "5d2f");
    CHECK(item["node"] == "node-a");
    CHECK(item["verdict"] == "fail");
    const auto& kubevirt = item["kubevirt"];
    CHECK(kubevirt["reported"] ==
          json::parse(R"({"LiveMigratable":{"status":"True","reason":null,"message":null,
        "lastTransitionTime":"2026-01-01T00:00:00Z"},"StorageLiveMigratable":null,
        "migrationMethod":"LiveMigration"})"));
    CHECK(kubevirt["recomputed"]["LiveMigratable"]["reason"] == "DisksNotLiveMigratable");
    CHECK(kubevirt["recomputed"]["StorageLiveMigratable"]["status"] == "True");
    CHECK(kubevirt["recomputed"]["migrationMethod"] == "BlockMigration");
    CHECK(kubevirt["recomputed"]["reasons"] == json::parse(R"(["DisksNotLiveMigratable"])"));
    CHECK(kubevirt["agrees"] == false);
    CHECK(kubevirt["differs"].size() == 1);
    const auto& failed = item["checks"][2];
    CHECK(failed["subject"] == json::parse(R"({"kind":"PersistentVolumeClaim","namespace":"prod",
        "name":"web-data"})"));
    CHECK(failed["seen"] == "ReadWriteOnce");
    CHECK(failed["fix"]["commands"].size() == 2);
    CHECK(item["checks"][3]["gaps"] == json::parse(R"(["nodes"])"));
    CHECK(item["checks"][5]["verdict"] == "skipped");
}

TEST_CASE("a cluster-scoped subject has no namespace") {
    auto vm = samples::item("prod", "db", Verdict::pass);
    vm.checks = {samples::result(samples::kCpu, Verdict::pass)};
    vm.checks[0].finding.subject = {"Node", "", "node-a"};
    const auto document = json::parse(render_preflight_json(samples::report({vm}), "0.1.0"));
    CHECK(document["items"][0]["checks"][0]["subject"] ==
          json::parse(R"({"kind":"Node","namespace":null,"name":"node-a"})"));
}

TEST_CASE("an error before anything was read is the same document without items") {
    const auto failed =
        error_report({"config", "context \"prod\" does not exist", "kubectl config get-contexts"},
                     1, std::chrono::sys_seconds{});
    const auto document = json::parse(render_preflight_json(failed, "0.1.0"));
    const auto empty = json::parse(render_preflight_json(samples::report({}), "0.1.0"));
    for (const auto& [key, value] : empty.items()) CHECK(document.contains(key));
    CHECK(document.size() == empty.size());
    CHECK(document["takenAt"] == "1970-01-01T00:00:00Z");
    CHECK(document["source"] == nullptr);
    CHECK(document["kubevirtVersion"] == nullptr);
    CHECK(document["rules"] == nullptr);
    CHECK(document["items"] == json::array());
    CHECK(document["exitCode"] == 1);
    CHECK(document["error"] == json::parse(R"({"kind":"config",
        "message":"context \"prod\" does not exist","hint":"kubectl config get-contexts"})"));
}

TEST_CASE("names that are no UTF-8 or hold line breaks keep the document whole") {
    auto vm = samples::item("prod", "a\xff\n}\x1b", Verdict::pass);
    const auto text = render_preflight_json(samples::report({vm, vm}), "0.1.0");
    const auto document = json::parse(text);
    CHECK(document["items"][1]["name"] == "a\xEF\xBF\xBD\n}\x1b");
    CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("ten thousand VMs are one document") {
    auto vm = samples::item("prod", "web", Verdict::fail);
    vm.checks = {samples::failed_claim()};
    const std::vector<preflight::Item> items(10'000, vm);
    const auto text = render_preflight_json(samples::report(items), "0.1.0");
    CHECK(text.ends_with("}\n"));
    const auto one = render_preflight_json(samples::report({items[0]}), "0.1.0");
    const auto none = render_preflight_json(samples::report({}), "0.1.0");
    // Each item takes the same room, with its comma and line break.
    const auto room = one.size() - none.size();
    CHECK(text.size() > 10'000 * (room - 20));
    CHECK(text.size() < 10'000 * (room + 20));
    CHECK(json::accept(text));
}

TEST_CASE("YAML holds the same document as JSON") {
    auto full =
        samples::report({samples::troubled(), samples::item("a", "b\n\x1b: c", Verdict::pass)});
    full.gaps = {samples::forbidden_nodes()};
    const auto failed = error_report({"usage", "no such flag", ""}, 2, std::chrono::sys_seconds{});
    for (const auto& report : {full, samples::report({}), failed}) {
        const auto text = render_preflight_yaml(report, "0.1.0");
        CAPTURE(text);
        const auto documents = kubeclient::parse_yaml(text, "report");
        REQUIRE(documents.ok());
        REQUIRE(documents->size() == 1);
        CHECK(*documents->front().value == json::parse(render_preflight_json(report, "0.1.0")));
    }
}

TEST_CASE("YAML reads as kubectl's does") {
    const auto text = render_preflight_yaml(samples::report({samples::troubled()}), "0.1.0");
    CHECK(
        text.starts_with("apiVersion: virt-handoff/v1\n"
                         "exitCode: 0\n"
                         "kind: PreflightReport\n"
                         "kubevirtVersion: v1.8.4\n"));
    CHECK(text.find("\nitems:\n- checks:\n  - fix:\n      commands: []\n      text: null\n") !=
          std::string::npos);
    CHECK(text.ends_with("summary:\n  fail: 1\n  pass: 0\n  total: 1\n  unknown: 0\n  warn: 0\n"));
}
