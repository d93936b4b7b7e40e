// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/capture_filter.h"

#include <pcap/pcap.h>
#include <unistd.h>

#include <chrono>

#include "extcap/filter/child_call.h"
#include "tests/unit/libpcap_says.h"
#include "tests/unit/results.h"

// This process may look names up: no test may name a host that would be looked up in the network.
namespace cloudflaredump::filter {
namespace {

using Kind = CaptureFilter::Kind;

CaptureFilter Compiled(std::string_view text, NameLookup lookup = NameLookup::kRefuse) {
  auto filter = CaptureFilter::Compile(text, lookup);
  if (!filter) fail_msg("%s: %s", std::string(text).c_str(), ClauseOf(filter.error()).c_str());
  return std::move(*filter);
}

std::string Refusal(std::string_view text, NameLookup lookup = NameLookup::kRefuse) {
  auto filter = CaptureFilter::Compile(text, lookup);
  if (filter) fail_msg("%s was taken", std::string(text).c_str());
  return ClauseOf(filter.error());
}

void TheEmptyFilterIsEveryPacket(void**) {
  for (const char* text : {"", " ", "\t\n "}) {
    const CaptureFilter filter = Compiled(text);
    assert_int_equal(filter.kind(), Kind::kAll);
    assert_null(filter.program());
    AssertText(filter.text(), text);
  }
}

void AnOrdinaryFilterIsCompiledForRawIp(void**) {
  const CaptureFilter filter = Compiled("tcp port 443");
  assert_int_equal(filter.kind(), Kind::kIp);
  assert_non_null(filter.program());
  assert_true(filter.program()->bf_len > 10);
  AssertText(filter.text(), "tcp port 443");
}

void TheProgramSurvivesMoves(void**) {
  CaptureFilter first = Compiled("udp");
  const bpf_program* program = first.program();
  const CaptureFilter second = std::move(first);
  assert_ptr_equal(second.program(), program);
}

void ATypedFilterThatCannotBeUsedIsQuoted(void**) {
  AssertFails(
      CaptureFilter::CompileTyped("tcp port 443 and", NameLookup::kRefuse), Error::Kind::kUsage,
      "the capture filter \"tcp port 443 and\" cannot be used: " + LibpcapSays("tcp port 443 and") +
          "; check the spelling, and see pcap-filter(7).");
  AssertFails(CaptureFilter::CompileTyped("tcp and udp", NameLookup::kRefuse), Error::Kind::kUsage,
              "rejects all packets; join alternatives by \"or\", and see pcap-filter(7).");
  // No name server is asked about a name that cannot be one.
  AssertFails(CaptureFilter::CompileTyped("udp dst a..b", NameLookup::kResolve),
              Error::Kind::kUsage,
              "; check the spelling (a mistyped keyword is taken for a name), ");
  // What has a remedy of its own keeps it.
  AssertFails(CaptureFilter::CompileTyped("host www.example.com", NameLookup::kRefuse),
              Error::Kind::kUsage,
              " needs a look-up, which is done only when a capture starts; check the spelling");
  for (const char* const text : {"tcp.port == 443", "ip.addr==192.0.2.1 && udp", "ipv6.src"}) {
    AssertFails(CaptureFilter::CompileTyped(text, NameLookup::kRefuse), Error::Kind::kUsage,
                "it looks like a display filter");
  }
  for (const char* const text : {"dst host dns.google prt 53", "host http.example.org &&& udp"}) {
    const auto filter = CaptureFilter::CompileTyped(text, NameLookup::kRefuse);
    assert_true(!filter && !SentenceOf(filter.error()).contains("display filter"));
  }
  assert_true(CaptureFilter::CompileTyped("tcp port 443", NameLookup::kRefuse).has_value());
}

/// libpcap's program reads scratch memory that it has not written, and its interpreter takes what
/// the stack holds there: the same packet would match at one time and not at another.
void ScratchMemoryBeginsWithZeros(void**) {
  const CaptureFilter filter = Compiled("!geneve 5 and !geneve 74");
  const bpf_insn* const program = filter.program()->bf_insns;
  assert_int_equal(program[0].code, BPF_LD | BPF_IMM);
  assert_int_equal(program[0].k, 0);
  assert_int_equal(program[1].code, BPF_ST);
  // Others are as libpcap made them.
  assert_int_not_equal(Compiled("geneve 5").program()->bf_insns[0].code, BPF_LD | BPF_IMM);
  assert_int_not_equal(Compiled("ip[2:2] - ip[6:2] > len").program()->bf_insns[1].code, BPF_ST);
}

void ErrorsAreLibpcapsWords(void**) {
  for (const char* text : {"tcp port 99999", "host", "tcp port 443 and", "port nosuchport",
                           "net nosuchnet", "vlan 5 and (", "len >"}) {
    assert_true(!LibpcapSays(text).empty());
    AssertText(Refusal(text), LibpcapSays(text));
  }
}

void AFilterThatRejectsAllPacketsIsRefused(void**) {
  // Ethernet would compile the last two; no IP packet matches them.
  for (const char* text : {"tcp and udp", "arp", "ether proto 6"}) {
    assert_true(!LibpcapSays(text).empty());
    AssertText(Refusal(text), LibpcapSays(text));
  }
}

void FiltersAboutTheLinkLayerAreTaken(void**) {
  for (const char* text : {"vlan", "ether host 00:11:22:33:44:55", "multicast", "vlan 7 and tcp"}) {
    const CaptureFilter filter = Compiled(text);
    assert_int_equal(filter.kind(), Kind::kLinkLayer);
    assert_null(filter.program());
  }
}

void DirectionIsRefusedWithAReason(void**) {
  for (const char* text : {"inbound", "outbound and tcp", "ifindex 10", "vlan and inbound"}) {
    AssertContains(Refusal(text), "a capture file does not say");
  }
}

void ANetmaskIsNotNeeded(void**) {
  assert_int_equal(Compiled("ip broadcast").kind(), Kind::kIp);
}

void ANulIsNotTheEndOfTheFilter(void**) {
  AssertContains(Refusal(std::string_view("tcp\0and rubbish", 15)), "NUL");
}

void TheDialogTakesNamesToBeRight(void**) {
  for (const char* text :
       {"host www.example.com", "tcp and src www.example.com", "ip6 host www.example.com",
        "host a.example or host b.example or net 10.0.0.0/8", "host \\tcp",
        "port http and host http", "src host a.example and not src host a.example"}) {
    const CaptureFilter filter = Compiled(text, NameLookup::kAccept);
    assert_int_equal(filter.kind(), Kind::kIp);
    assert_null(filter.program());
    AssertText(filter.text(), text);
  }
  const CaptureFilter vlan = Compiled("vlan and host www.example.com", NameLookup::kAccept);
  assert_int_equal(vlan.kind(), Kind::kLinkLayer);
}

void TheDialogChecksWhatStandsBehindAName(void**) {
  const std::string host = "host www.example.com";
  for (const char* rest : {" and tcp port 99999", " and", " and port nosuchport", " and ("}) {
    const std::string said = LibpcapSays("host 192.0.2.1" + std::string(rest));
    assert_true(!said.empty());
    AssertText(Refusal(host + rest, NameLookup::kAccept), said);
  }
  for (const char* text : {"www.example.com", "port www.example.com"}) {
    AssertText(Refusal(text, NameLookup::kAccept), LibpcapSays(text));
  }
}

void ServicesAreNoHosts(void**) {
  for (const NameLookup lookup : {NameLookup::kAccept, NameLookup::kRefuse}) {
    assert_non_null(Compiled("tcp port http", lookup).program());
    assert_non_null(Compiled("ip proto \\icmp", lookup).program());
  }
}

void ExplainDoesNotLookUpNames(void**) {
  AssertContains(Refusal("host www.example.com"), "\"www.example.com\" needs a look-up");
  // Not even in local files, so that the answer is the same everywhere.
  AssertContains(Refusal("vlan and host localhost"), "\"localhost\" needs a look-up");
}

void ACaptureLooksNamesUp(void**) {
  // /etc/hosts has it everywhere.
  const CaptureFilter filter = Compiled("host localhost", NameLookup::kResolve);
  assert_int_equal(filter.kind(), Kind::kIp);
  assert_non_null(filter.program());
}

void ALookUpHasATimeLimit(void**) {
  const CompileBounds no_time{.limits = CompileLimits{.compile = kLimitsAtCapture.compile,
                                                      .look_up = std::chrono::nanoseconds(1)}};
  const auto filter = CaptureFilter::Compile("host localhost", NameLookup::kResolve, no_time);
  assert_false(filter.has_value());
  AssertContains(ClauseOf(filter.error()), "no answer within");
  AssertContains(ClauseOf(filter.error()), "\"localhost\"");
  assert_int_equal(filter.error().kind, Error::Kind::kPassing);
  // Where no name is looked up there is nothing to wait for.
  assert_true(CaptureFilter::Compile("tcp", NameLookup::kResolve, no_time).has_value());
}

void AChildThatHangsIsKilled(void**) {
  const auto started = std::chrono::steady_clock::now();
  const auto answer = CallInChild(
      []() -> std::string {
        for (;;) pause();
      },
      std::chrono::milliseconds(50));
  assert_false(answer.has_value());
  assert_int_equal(answer.error().kind, Error::Kind::kPassing);
  assert_true(std::chrono::steady_clock::now() - started >= std::chrono::milliseconds(50));
}

void AStopEndsALookUp(void**) {
  int asked = 0;
  const auto stop = [&asked] { return ++asked > 2; };
  const auto answer = CallInChild(
      []() -> std::string {
        for (;;) pause();
      },
      std::chrono::hours(1), stop);
  assert_false(answer.has_value());
  assert_int_equal(answer.error().kind, Error::Kind::kInterrupted);
  const auto filter =
      CaptureFilter::Compile("host localhost", NameLookup::kResolve, {.stop = [] { return true; }});
  assert_false(filter.has_value());
  assert_int_equal(filter.error().kind, Error::Kind::kInterrupted);
}

/// After a stop what was captured is still delivered, and tested with the filter.
void AStopDoesNotEndALaterLookUp(void**) {
  bool stopped = false;
  const auto filter = CaptureFilter::Compile("vlan and host localhost", NameLookup::kResolve,
                                             {.stop = [&stopped] { return stopped; }});
  assert_true(filter.has_value());
  assert_int_equal(filter->kind(), Kind::kLinkLayer);
  stopped = true;
  assert_true(Residual::Make(*filter, 1).has_value());
}

void AChildThatDiesIsAnError(void**) {
  const auto answer = CallInChild([]() -> std::string { _exit(3); }, std::chrono::hours(1));
  assert_false(answer.has_value());
  AssertContains(ClauseOf(answer.error()), "died");
}

void AChildAnswersAtLength(void**) {
  const auto answer = CallInChild([] { return std::string(1 << 20, 'x'); }, std::chrono::hours(1));
  assert_true(answer.has_value());
  assert_int_equal(answer->size(), 1 << 20);
}

std::string Repeated(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

void AMonstrousFilterIsTakenOrRefused(void**) {
  assert_non_null(Compiled(Repeated("(", 1000) + "tcp" + Repeated(")", 1000)).program());
  assert_non_null(Compiled(Repeated("not ", 1000) + "tcp").program());
  assert_false(Refusal(Repeated("(", 100000) + "tcp" + Repeated(")", 100000)).empty());
  assert_false(Refusal("host " + Repeated("a", 100000)).empty());
  assert_false(Refusal(Repeated("tcp and ", 130000) + "tcp").empty());
}

/// "port 1000 or port 1007 or …": libpcap's time grows with the square of their number.
std::string Ports(int count) {
  std::string text = "port 1000";
  for (int i = 1; i < count; ++i) text += " or port " + std::to_string(1000 + 7 * i);
  return text;
}

void ManyPortsEndAtTheTimeLimit(void**) {
  const CompileBounds short_time{.limits = CompileLimits{.compile = std::chrono::milliseconds(20),
                                                         .look_up = std::chrono::seconds(5)}};
  for (const NameLookup lookup : {NameLookup::kAccept, NameLookup::kResolve}) {
    const auto filter = CaptureFilter::Compile(Ports(600), lookup, short_time);
    assert_false(filter.has_value());
    assert_int_equal(filter.error().kind, Error::Kind::kUsage);
    AssertContains(SentenceOf(filter.error()), "did not finish");
    AssertContains(SentenceOf(filter.error()), "portrange");
  }
  assert_non_null(Compiled(Ports(50)).program());
}

void AStopEndsACompilation(void**) {
  for (const std::string& text : {Ports(600), "host localhost and (" + Ports(600) + ")"}) {
    int asked = 0;
    const auto filter = CaptureFilter::Compile(text, NameLookup::kResolve,
                                               {.stop = [&asked] { return ++asked > 3; }});
    assert_false(filter.has_value());
    assert_int_equal(filter.error().kind, Error::Kind::kInterrupted);
  }
}

void MemoryHasALimit(void**) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  skip();
#endif
  for (const NameLookup lookup : {NameLookup::kAccept, NameLookup::kResolve}) {
    const auto filter = CaptureFilter::Compile(Ports(4000), lookup);
    assert_false(filter.has_value());
    assert_int_equal(filter.error().kind, Error::Kind::kUsage);
    AssertContains(SentenceOf(filter.error()), "more than 512 MiB");
    AssertContains(SentenceOf(filter.error()), "portrange");
  }
}

void ManyNamesAreTaken(void**) {
  std::string text = "host a.example";
  for (int i = 0; i < 40; ++i) text += " or src host a" + std::to_string(i) + ".example";
  text += Repeated(" or dst host a.example", 20);
  assert_int_equal(Compiled(text, NameLookup::kAccept).kind(), Kind::kIp);
  AssertText(Refusal(text + " and port 70000", NameLookup::kAccept), LibpcapSays("port 70000"));
}

void AnErrorIsOneCleanLine(void**) {
  const std::string refusal = Refusal("port x\x1b[31m\nx}{value=evil}", NameLookup::kAccept);
  for (const char c : refusal) assert_true(c >= ' ' && c != '{' && c != '}');
  const std::string quoted = Refusal("port \\x\x1b}{value=evil}", NameLookup::kAccept);
  for (const char c : quoted) assert_true(c >= ' ' && c != '{' && c != '}');
}

void TheDialogAndExplainAgreeOnFiltersWithoutNames(void**) {
  for (const char* text :
       {"tcp", "tcp and udp", "tcp port", "vlan 4096", "vlan 5 and inbound", "ether host 1.2.3.4",
        "ip6 host 1.2.3.4", "net 1.2.3.4/33", "wlan type mgt"}) {
    const auto checked = CaptureFilter::Compile(text, NameLookup::kAccept);
    const auto explained = CaptureFilter::Compile(text, NameLookup::kRefuse);
    const auto captured = CaptureFilter::Compile(text, NameLookup::kResolve);
    assert_int_equal(checked.has_value(), explained.has_value());
    assert_int_equal(checked.has_value(), captured.has_value());
    if (checked) continue;
    AssertText(ClauseOf(checked.error()), ClauseOf(explained.error()));
    AssertText(ClauseOf(checked.error()), ClauseOf(captured.error()));
  }
}

void ALongProgramComesBackWhole(void**) {
  std::string text = "host 10.0.0.1";
  for (int i = 2; i < 200; ++i) text += " or host 10.0.0." + std::to_string(i);
  const CaptureFilter filter = Compiled(text);
  assert_true(filter.program()->bf_len > 400);
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheEmptyFilterIsEveryPacket),
      cmocka_unit_test(AnOrdinaryFilterIsCompiledForRawIp),
      cmocka_unit_test(TheProgramSurvivesMoves),
      cmocka_unit_test(ErrorsAreLibpcapsWords),
      cmocka_unit_test(ScratchMemoryBeginsWithZeros),
      cmocka_unit_test(ATypedFilterThatCannotBeUsedIsQuoted),
      cmocka_unit_test(AFilterThatRejectsAllPacketsIsRefused),
      cmocka_unit_test(FiltersAboutTheLinkLayerAreTaken),
      cmocka_unit_test(DirectionIsRefusedWithAReason),
      cmocka_unit_test(ANetmaskIsNotNeeded),
      cmocka_unit_test(ANulIsNotTheEndOfTheFilter),
      cmocka_unit_test(TheDialogTakesNamesToBeRight),
      cmocka_unit_test(TheDialogChecksWhatStandsBehindAName),
      cmocka_unit_test(ServicesAreNoHosts),
      cmocka_unit_test(ExplainDoesNotLookUpNames),
      cmocka_unit_test(ACaptureLooksNamesUp),
      cmocka_unit_test(ALookUpHasATimeLimit),
      cmocka_unit_test(AChildThatHangsIsKilled),
      cmocka_unit_test(AStopEndsALookUp),
      cmocka_unit_test(AStopDoesNotEndALaterLookUp),
      cmocka_unit_test(AChildThatDiesIsAnError),
      cmocka_unit_test(AChildAnswersAtLength),
      cmocka_unit_test(AMonstrousFilterIsTakenOrRefused),
      cmocka_unit_test(ManyPortsEndAtTheTimeLimit),
      cmocka_unit_test(AStopEndsACompilation),
      cmocka_unit_test(MemoryHasALimit),
      cmocka_unit_test(ManyNamesAreTaken),
      cmocka_unit_test(AnErrorIsOneCleanLine),
      cmocka_unit_test(TheDialogAndExplainAgreeOnFiltersWithoutNames),
      cmocka_unit_test(ALongProgramComesBackWhole),
  };
  return cmocka_run_group_tests_name("capture_filter", tests, nullptr, nullptr);
}
