// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/api_answer.h"

#include <jansson.h>

#include "common/redact.h"
#include "tests/unit/results.h"

namespace cloudflaredump::api {
namespace {

http::HttpAnswer Answer(int status, const std::string& body) {
  return {.head = {.status = status, .headers = {}}, .body = body, .end = {}};
}

Result<Json> Read(int status, const std::string& body) {
  return ReadEnvelope(Answer(status, body), "list the captures", "api.cloudflare.com");
}

std::string Sentence(int status, const std::string& body) {
  return SentenceOf(ErrorOf(Read(status, body)));
}

/// A failure's envelope with `errors` as they are given.
std::string Failure(const std::string& errors) {
  return R"({"success":false,"errors":)" + errors + R"(,"messages":[],"result":null})";
}

void TheResultIsHandedOut(void**) {
  const Json object =
      ValueOf(Read(200, R"({"success":true,"errors":[],"messages":[],"result":{"id":"x"}})"));
  AssertText(json_string_value(json_object_get(object.get(), "id")), "x");
  const Json array = ValueOf(Read(200, R"({"success":true,"result":[1,2]})"));
  assert_int_equal(json_array_size(array.get()), 2);
  assert_true(json_is_null(ValueOf(Read(200, R"({"success":true,"result":null})")).get()));
}

void WhatIsMissingOrOfAnotherTypeIsTolerated(void**) {
  for (const char* body :
       {R"({"result":[]})", R"({"success":null,"errors":null,"messages":7,"result":[]})",
        R"({"success":true,"errors":[{"code":1,"message":"a warning"}],"result":[],"new":{}})",
        "\r\n {\"success\":true,\"result\":[]} \n", R"({"success":"yes","result":[]})"}) {
    assert_true(json_is_array(ValueOf(Read(200, body)).get()));
  }
  assert_true(json_is_array(ValueOf(Read(201, R"({"result":[]})")).get()));
}

/// Cloudflare puts the cause into the chain of an error that says nothing.
void AMalformedTokenIsNamedAlsoFromTheChain(void**) {
  for (
      const char* const errors :
      {R"([{"code":6111,"message":"Invalid format for Authorization header"}])",
       R"([{"code":9000,"message":"m","error_chain":[{"code":6111,"message":"Invalid format"}]}])"}) {
    AssertContains(Sentence(400, Failure(errors)), "check the API token: it is not whole");
  }
}

void WhatIsNoEnvelopeSaysWhatItIs(void**) {
  const auto expect = [](const std::string& body, const char* what) {
    const Error error = ErrorOf(Read(200, body));
    AssertText(SentenceOf(error), "cannot list the captures: api.cloudflare.com answered with " +
                                      std::string(what) +
                                      "; check the address of the API and any proxy.");
    // Half an answer, or a proxy's page: the next try may get through.
    assert_true(error.kind == Error::Kind::kPassing);
  };
  expect("", "an empty answer");
  expect(" \r\n", "an empty answer");
  expect("<!DOCTYPE html><html>…", "a web page instead of JSON");
  expect("\n <html>", "a web page instead of JSON");
  expect("upstream timed out", "something that is not JSON");
  expect(R"({"success":true,"result":[1,)", "something that is not JSON");
  expect(std::string(100000, '['), "something that is not JSON");
  expect("{\"result\":\"\xff\"}", "something that is not JSON");
}

void AnEnvelopeWithoutResultIsAnotherServers(void**) {
  AssertFails(Read(200, R"({"success":true})"), Error::Kind::kFinal,
              "answered JSON without a result; check the address of the API.");
}

void FailureInA200IsAFailure(void**) {
  AssertText(Sentence(200, Failure(R"([{"code":1012,"message":"Not onboarded"}])")),
             "cannot list the captures: api.cloudflare.com answered HTTP 200: code 1012, Not "
             "onboarded.");
}

void EachStatusHasItsRemedyAndKind(void**) {
  struct Row {
    int status;
    const char* remedy;
    Error::Kind kind;
  };
  constexpr auto kFinal = Error::Kind::kFinal;
  constexpr auto kPassing = Error::Kind::kPassing;
  for (const Row& row : {
           Row{400, "answered HTTP 400: code 1001, why.", kFinal},
           Row{401, "check the API token", kFinal},
           Row{403, "token has the permission \"Magic Firewall Packet Captures: Edit\"", kFinal},
           Row{404,
               "check the account ID, the capture's ID if you named one, and the address of the "
               "API",
               kFinal},
           Row{408, "answered HTTP 408", kPassing},
           Row{409, "answered HTTP 409", kFinal},
           Row{429, "wait a few minutes and try again", kPassing},
           Row{500, "see www.cloudflarestatus.com", kPassing},
           Row{501, "see www.cloudflarestatus.com", kPassing},
           Row{522, "see www.cloudflarestatus.com", kPassing},
           Row{502, "see www.cloudflarestatus.com", kPassing},
           Row{503, "see www.cloudflarestatus.com", kPassing},
           Row{504, "see www.cloudflarestatus.com", kPassing},
           Row{302, "answered HTTP 302", kFinal},
       }) {
    const Result<Json> read = Read(row.status, Failure(R"([{"code":1001,"message":"why."}])"));
    AssertFails(read, row.kind, row.remedy);
    AssertFails(read, row.kind, "code 1001, why");
  }
}

void ErrorsAreToldWhateverTheirForm(void**) {
  const auto told = [](const std::string& errors) {
    const std::string sentence = Sentence(400, Failure(errors));
    constexpr std::string_view kStart =
        "cannot list the captures: api.cloudflare.com answered HTTP 400";
    AssertText(sentence.substr(0, kStart.size()), kStart);
    return sentence.substr(kStart.size());
  };
  // The live rate limit's code is below the schema's minimum of 1000.
  AssertText(told(R"([{"code":971,"message":"Please wait"}])"), ": code 971, Please wait.");
  AssertText(told(R"([{"code":9999}])"), ": code 9999.");
  AssertText(told(R"([{"code":7003},{"code":7000}])"),
             ": code 7003; code 7000; check the account ID, the capture's ID if you named one (32 "
             "hexadecimal digits each), and the address of the API.");
  AssertText(told(R"([{"message":"No route..."}])"), ": No route.");
  AssertText(told(R"([{"code":"x","message":7},{"code":2,"message":"b"}])"), ": code 2, b.");
  AssertText(told(R"([{"message":"a"},{"message":"b"},{"message":"c"},{"message":"d"}])"),
             ": a; b; c.");
  for (const char* nothing : {"[]", "null", "{}", "[7,null,[]]", "[{}]", R"("text")"}) {
    AssertText(told(nothing), ".");
  }
}

void AnErrorWithoutAnEnvelopeSaysWhatCame(void**) {
  AssertText(Sentence(502, "<html>Bad gateway</html>"),
             "cannot list the captures: api.cloudflare.com answered HTTP 502: a web page instead "
             "of JSON; try again later, or see www.cloudflarestatus.com.");
  AssertContains(Sentence(500, ""), "answered HTTP 500: an empty answer; ");
}

/// Wireshark's extcap sentences have no escaping, and a log line is one line.
void TheServersTextIsCleaned(void**) {
  const std::string sentence =
      Sentence(400, Failure(R"([{"message":"a}{value=evil}\r\nb\u001b[31m\u202ec"}])"));
  AssertContains(sentence, ": a)(value=evil) b [31m c");
  const std::string longest =
      Sentence(400, Failure(R"([{"message":")" + std::string(5000, 'x') + R"("}])"));
  assert_true(longest.size() < 500);
}

/// The server may echo what was sent, also where the cut of a long text would halve it.
void AnEchoedSecretStaysOut(void**) {
  RegisterSecret("cfut_echoed0123456789");
  for (std::size_t before = 270; before < 310; ++before) {
    const std::string message = std::string(before, 'x') + "cfut_echoed0123456789";
    const std::string sentence =
        Sentence(400, Failure(R"([{"code":1,"message":")" + message + R"("}])"));
    AssertLacks(sentence, "cfut_");
  }
}

}  // namespace
}  // namespace cloudflaredump::api

int main() {
  using namespace cloudflaredump::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheResultIsHandedOut),
      cmocka_unit_test(WhatIsMissingOrOfAnotherTypeIsTolerated),
      cmocka_unit_test(AMalformedTokenIsNamedAlsoFromTheChain),
      cmocka_unit_test(WhatIsNoEnvelopeSaysWhatItIs),
      cmocka_unit_test(AnEnvelopeWithoutResultIsAnotherServers),
      cmocka_unit_test(FailureInA200IsAFailure),
      cmocka_unit_test(EachStatusHasItsRemedyAndKind),
      cmocka_unit_test(ErrorsAreToldWhateverTheirForm),
      cmocka_unit_test(AnErrorWithoutAnEnvelopeSaysWhatCame),
      cmocka_unit_test(TheServersTextIsCleaned),
      cmocka_unit_test(AnEchoedSecretStaysOut),
  };
  return cmocka_run_group_tests_name("api_answer", tests, nullptr, nullptr);
}
