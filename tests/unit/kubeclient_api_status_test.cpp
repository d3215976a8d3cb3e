#include "kubeclient/api_status.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubeclient;

namespace {

Error error_for(int status, const std::string& body, const std::string& type = "application/json") {
    return error_of({status, {{"content-type", type}, {"retry-after", "7"}}, body}, "GET /x");
}

}  // namespace

TEST_CASE("a Status becomes kubectl's sentence and the kind of its code") {
    struct Row {
        int code;
        const char* reason;
        ErrorKind kind;
    };
    for (const Row& row :
         std::initializer_list<Row>{{400, "BadRequest", ErrorKind::invalid},
                                    {403, "Forbidden", ErrorKind::forbidden},
                                    {404, "NotFound", ErrorKind::not_served},
                                    {405, "MethodNotAllowed", ErrorKind::invalid},
                                    {406, "NotAcceptable", ErrorKind::invalid},
                                    {409, "Conflict", ErrorKind::conflict},
                                    {409, "AlreadyExists", ErrorKind::conflict},
                                    {410, "Expired", ErrorKind::conflict},
                                    {415, "UnsupportedMediaType", ErrorKind::invalid},
                                    {429, "TooManyRequests", ErrorKind::throttled},
                                    {500, "InternalError", ErrorKind::server},
                                    {503, "ServiceUnavailable", ErrorKind::server},
                                    {504, "Timeout", ErrorKind::server}}) {
        const auto error = error_for(
            row.code, R"({"kind":"Status","status":"Failure","message":"said so","reason":")" +
                          std::string(row.reason) + R"(","code":)" + std::to_string(row.code) +
                          "}");
        CHECK(error.message == "Error from server (" + std::string(row.reason) + "): said so");
        CHECK(error.kind == row.kind);
        CHECK(error.http_status == row.code);
    }
    CHECK(error_for(500, R"({"kind":"Status","message":"m"})").message == "Error from server: m");
}

TEST_CASE("the server's own reason and how long it asks to wait are kept") {
    const std::string body =
        R"({"kind":"Status","reason":"TooManyRequests","code":429,"message":"m")";
    const auto by_details = error_for(429, body + R"(,"details":{"retryAfterSeconds":3}})");
    CHECK(by_details.reason == "TooManyRequests");
    CHECK(by_details.retry_after == 3);
    const Response header{429, {{"retry-after", "5"}}, body + "}"};
    CHECK(error_of(header, "GET /x").retry_after == 5);
    const Response no_status{503, {{"retry-after", "9"}}, "no endpoints"};
    CHECK(error_of(no_status, "GET /x").retry_after == 9);
    CHECK(error_of(no_status, "GET /x").reason == "ServiceUnavailable");
    const Response date{503, {{"retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"}}, ""};
    CHECK(error_of(date, "GET /x").retry_after == 0);
    for (const auto* odd : {"-1", "99999999999999999999", "1.5", "\"x\"", "null"}) {
        CAPTURE(odd);
        const Response reply{429, {}, body + R"(,"details":{"retryAfterSeconds":)" + odd + "}}"};
        CHECK(error_of(reply, "GET /x").retry_after == 0);
    }
}

TEST_CASE("a Status inside a stream becomes the same error") {
    const auto status =
        parse_json(R"({"kind":"Status","status":"Failure","reason":"Expired","code":410,)"
                   R"j("message":"too old resource version: 1 (9)"})j",
                   "status");
    const auto error = error_of_status(*status, "GET /x");
    CHECK(error.kind == ErrorKind::conflict);
    CHECK(error.http_status == 410);
    CHECK(error.reason == "Expired");
    CHECK(error.message == "Error from server (Expired): too old resource version: 1 (9)");
    CHECK(error_of_status(Json::object(), "GET /x").kind == ErrorKind::server);
}

TEST_CASE("not being logged in has a sentence of its own") {
    const auto error =
        error_for(401, R"({"kind":"Status","message":"Unauthorized","reason":"Unauthorized"})");
    CHECK(error.message == "You must be logged in to the server (Unauthorized)");
    CHECK(error.kind == ErrorKind::auth);
    CHECK(error.hint.find("log in") == 0);
}

TEST_CASE("an invalid object is shown with its causes") {
    const std::string start =
        R"({"kind":"Status","reason":"Invalid","code":422,"message":"long text","details":)"
        R"({"kind":"VirtualMachine","name":"web")";
    CHECK(error_for(422, start + R"(,"causes":[{"field":"spec.a","message":"Required value"}]}})")
              .message == "The VirtualMachine \"web\" is invalid: spec.a: Required value");
    CHECK(
        error_for(422, start + R"(,"causes":[{"field":"spec.a","message":"x"},{"message":"y"}]}})")
            .message == "The VirtualMachine \"web\" is invalid:\n* spec.a: x\n* y");
    CHECK(error_for(422, start + "}}").message ==
          "The VirtualMachine \"web\" is invalid: long text");
    CHECK(error_for(422, R"({"kind":"Status","reason":"Invalid","message":"m","details":{}})")
              .message == "The request is invalid: m");
    const std::string cause = R"({"field":"spec.a","message":"Required value"})";
    CHECK(error_for(422, start + ",\"causes\":[" + cause + "," + cause + "]}}").message ==
          "The VirtualMachine \"web\" is invalid: spec.a: Required value");
}

TEST_CASE("throttling says how long the server wants to be left alone") {
    CHECK(error_for(429, R"({"kind":"Status","reason":"TooManyRequests","message":"m"})").hint ==
          "the server asked to wait 7 s");
}

TEST_CASE("a refusal without a Status is told by its code and its text") {
    CHECK(error_for(404, "404 page not found\n", "text/plain").message ==
          "Error from server (NotFound): the server could not find the requested resource (GET /x)"
          ": 404 page not found");
    CHECK(error_for(503, "<html>…</html>", "text/html").message ==
          "Error from server (ServiceUnavailable): the server is currently unable to handle the "
          "request (GET /x)");
    CHECK(error_for(500, "boom\nat line 2", "text/plain").message ==
          "Error from server (InternalError): an error on the server (\"boom at line 2\") has "
          "prevented the request from succeeding (GET /x)");
    CHECK(error_for(406, "406: Not Acceptable\n", "text/plain").message ==
          "Error from server (NotAcceptable): 406: Not Acceptable (GET /x)");
    CHECK(error_for(403, "no way", "text/plain").message ==
          "Error from server (Forbidden): no way (GET /x)");
    CHECK(error_for(401, "no way", "text/plain").message ==
          "You must be logged in to the server (the server has asked for the client to provide "
          "credentials (GET /x))");
    CHECK(error_for(418, "", "").message ==
          "Error from server: the server responded with the status code 418 (GET /x)");
    CHECK(error_for(502, "{\"a\":", "application/json").kind == ErrorKind::server);
}

TEST_CASE("a redirect is told and its target shown") {
    const auto error = error_of({302, {{"location", "https://login.example/\x1b"}}, ""}, "GET /x");
    CHECK(error.message ==
          "GET /x: unexpected HTTP status 302, redirected to https://login.example/");
    CHECK(error.kind == ErrorKind::protocol);
}

TEST_CASE("a good status with a bad body is a protocol error that names the request") {
    const auto error_with = [](const std::string& body, const std::string& type) {
        return object_of({200, {{"content-type", type}}, body}, "GET /x").error();
    };
    CHECK(error_with("<html>\nlog in</html>", "text/html").message ==
          "GET /x: the reply is text/html, not JSON: \"<html> log in</html>\"");
    CHECK(error_with("", "application/json").message ==
          "GET /x: empty reply where an object was expected");
    CHECK(error_with("{\"a\":", "application/json").message.find("GET /x: parse error") == 0);
    CHECK(error_with("7", "application/json").message == "GET /x: the reply is JSON but no object");
    const auto failure = error_with(
        R"({"kind":"Status","status":"Failure","reason":"Forbidden","code":403,"message":"m"})",
        "application/json");
    CHECK(failure.message == "Error from server (Forbidden): m");
    CHECK(failure.kind == ErrorKind::forbidden);
    CHECK(error_with(R"({"kind":"Status","status":"Failure","message":"m"})", "").kind ==
          ErrorKind::protocol);
    // Without a content type JSON is still JSON.
    CHECK(object_of({200, {}, "{}"}, "GET /x").ok());
}

TEST_CASE("what the server says cannot steer the terminal") {
    const auto error = error_for(403, R"({"kind":"Status","message":"a\u001b[31mb\rc\nd"})");
    CHECK(error.message == "Error from server: a [31mb c\nd");
}

TEST_CASE("only a 404 that names the object says that the object does not exist") {
    const auto kind = [](const std::string& details) {
        return error_for(404, R"({"kind":"Status","reason":"NotFound","code":404,"message":"m")" +
                                  details + "}")
            .kind;
    };
    CHECK(kind(R"(,"details":{"name":"web","kind":"virtualmachines"})") == ErrorKind::not_found);
    CHECK(kind(R"(,"details":{"name":""})") == ErrorKind::not_served);
    CHECK(kind(R"(,"details":{"kind":"virtualmachines"})") == ErrorKind::not_served);
    CHECK(kind(R"(,"details":{})") == ErrorKind::not_served);
    CHECK(kind("") == ErrorKind::not_served);
    CHECK(error_for(404, "404 page not found\n", "text/plain").kind == ErrorKind::not_served);
    // Whoever is named, another code stays what it is.
    CHECK(
        error_for(403, R"({"kind":"Status","reason":"Forbidden","details":{"name":"web"}})").kind ==
        ErrorKind::forbidden);
}
