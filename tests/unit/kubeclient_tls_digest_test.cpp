#include "kubeclient/tls_digest.hpp"

#include <doctest/doctest.h>

TEST_CASE("a digest is the one that sha256sum prints") {
    CHECK(kubeclient::sha256_hex("") ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(kubeclient::sha256_hex("abc") ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
