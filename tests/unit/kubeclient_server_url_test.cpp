#include "kubeclient/server_url.hpp"

#include <doctest/doctest.h>

using kubeclient::check_proxy_url;
using kubeclient::parse_server_url;
using kubeclient::ServerUrl;

TEST_CASE("server URLs are taken apart as client-go does") {
    const std::pair<const char*, ServerUrl> rows[] = {
        {"https://10.0.0.1:6443", {true, "10.0.0.1", 6443, ""}},
        {"https://api.example.com", {true, "api.example.com", 443, ""}},
        {"https://api.example.com/", {true, "api.example.com", 443, ""}},
        {"https://api.example.com:", {true, "api.example.com", 443, ""}},
        {"HTTPS://h/k8s/clusters/c-1/", {true, "h", 443, "/k8s/clusters/c-1"}},
        {"https://h/a%20b//c", {true, "h", 443, "/a%20b//c"}},
        {"http://h", {false, "h", 80, ""}},
        {"https://[::1]:6443/x", {true, "::1", 6443, "/x"}},
        {"https://[fe80::1%25eth0]", {true, "fe80::1%eth0", 443, ""}},
        {"127.0.0.1:6443", {false, "127.0.0.1", 6443, ""}},
        {"localhost", {false, "localhost", 80, ""}},
        {"localhost/", {false, "localhost", 80, ""}},
        {"[::1]:8080", {false, "::1", 8080, ""}},
    };
    for (const auto& [text, expected] : rows) {
        CAPTURE(std::string(text));
        const auto url = parse_server_url(text);
        REQUIRE(url.ok());
        CHECK(url->tls == expected.tls);
        CHECK(url->host == expected.host);
        CHECK(url->port == expected.port);
        CHECK(url->base_path == expected.base_path);
    }
}

TEST_CASE("a server URL that cannot be used is refused with what is wrong") {
    const std::pair<const char*, const char*> rows[] = {
        {"", "host must be a URL or a host:port pair: \"\""},
        {"https://", "host must be a URL or a host:port pair: \"https://\""},
        {"https://:6443", "host must be a URL or a host:port pair: \"https://:6443\""},
        {"1.2.3.4:1/abc", "host must be a URL or a host:port pair: \"1.2.3.4:1/abc\""},
        {"ftp://h", "unsupported protocol scheme \"ftp\""},
        {"https://h?x=1", "a server URL cannot have a query or a fragment"},
        {"https://h/p#f", "a server URL cannot have a query or a fragment"},
        {"https://::1:6443", "an IPv6 address needs brackets, as in https://[::1]:6443"},
        {"https://[::1", "missing ']' in host"},
        {"https://[::1]x", "text follows the ']' of the host"},
        {"https://[host]", "\"host\" in brackets is no IPv6 address"},
        {"https://h:0", "invalid port \"0\""},
        {"https://h:65536", "invalid port \"65536\""},
        {"https://h:x", "invalid port \"x\""},
        {"https://h:-1", "invalid port \"-1\""},
        {" https://h", "unsupported protocol scheme \" https\""},
        {"https://h h", "invalid character in host name \"h h\""},
        {"https://h\r\nX", "invalid character in host name \"h\r\nX\""},
        {"https://h/a b", "the path has a character that must be percent-encoded"},
        {"https://h/a\nb", "the path has a character that must be percent-encoded"},
    };
    for (const auto& [text, message] : rows) {
        CAPTURE(std::string(text));
        const auto url = parse_server_url(text);
        REQUIRE_FALSE(url.ok());
        CHECK(url.error().message == std::string(message));
    }
}

TEST_CASE("a password in a URL never reaches a message") {
    for (const char* text : {"https://admin:hunter2@h:1/p", "admin:hunter2@h/p?q",
                             "ftp://admin:hunter2@h", "https://admin:hunter2@"}) {
        const auto url = parse_server_url(text);
        REQUIRE_FALSE(url.ok());
        CHECK(url.error().message.find("hunter2") == std::string::npos);
        CHECK(url.error().hint.find("hunter2") == std::string::npos);
    }
    for (const char* text : {"http://u:hunter2@h:x", "socks5://u:hunter2@h", "u:hunter2@h",
                             "gopher://u:hunter2@h", "http://u:hunt/er2@h:x"}) {
        const auto proxy = check_proxy_url(text);
        REQUIRE_FALSE(proxy.ok());
        CHECK(proxy.error().message.find("er2") == std::string::npos);
    }
}

TEST_CASE("only plain HTTP proxies pass, and the refusal says what to do") {
    CHECK(check_proxy_url("http://proxy:3128").ok());
    CHECK(check_proxy_url("http://proxy").ok());
    CHECK(check_proxy_url("http://user:p%40ss@[::1]:3128/").ok());
    CHECK(check_proxy_url("socks5://p:1").error().message == "SOCKS5 proxies are not supported");
    CHECK(check_proxy_url("socks5h://p:1").error().hint.find("http://") != std::string::npos);
    CHECK(check_proxy_url("https://p:1").error().hint.find("use an http:// proxy URL") == 0);
    CHECK(check_proxy_url("foo://p:1").error().message ==
          "unsupported scheme \"foo\", must be http");
    CHECK_FALSE(check_proxy_url("127.0.0.1:2").ok());
    CHECK_FALSE(check_proxy_url("http://").ok());
}

TEST_CASE("a URL is told back with brackets and without its scheme's own port") {
    for (const char* text :
         {"https://h", "http://h", "https://h:80", "http://h:443/p", "https://[::1]:6443/a/b"}) {
        CHECK(kubeclient::to_text(*parse_server_url(text)) == text);
    }
    CHECK(kubeclient::to_text(*parse_server_url("https://h:443/")) == "https://h");
}
