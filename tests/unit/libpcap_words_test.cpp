// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/libpcap_words.h"

#include "extcap/filter/compile.h"
#include "tests/unit/libpcap_says.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

using Meaning = LibpcapWords::Meaning;

void AssertMeaning(std::string_view words, Meaning meaning, std::string_view host = "") {
  const LibpcapWords judged = JudgeLibpcapWords(words);
  if (judged.meaning != meaning) fail_msg("misjudged: %s", std::string(words).c_str());
  AssertText(judged.host, host);
}

void TheWordsOfBothVersionsAreKnown(void**) {
  AssertMeaning("expression rejects all packets", Meaning::kRejectsAll);
  AssertMeaning("unknown host 'www.example.com'", Meaning::kUnknownHost, "www.example.com");
  AssertMeaning("unknown host 'a' for specified address family", Meaning::kUnknownHost, "a");
  // 1.10
  AssertMeaning("inbound/outbound not supported on RAW when reading savefiles", Meaning::kLiveOnly);
  AssertMeaning("ifindex not supported on EN10MB", Meaning::kLiveOnly);
  AssertMeaning("malloc", Meaning::kNoMemory);
  AssertMeaning("not enough core", Meaning::kNoMemory);
  AssertMeaning("no VLAN support for Raw IP", Meaning::kMistake);
  // 1.11
  AssertMeaning("not a live capture, 'inbound' not supported on DLT_RAW (Raw IP)",
                Meaning::kLiveOnly);
  AssertMeaning("'outbound' not supported on DLT_RAW (Raw IP)", Meaning::kLiveOnly);
  AssertMeaning("newchunk_nolongjmp: calloc() failed", Meaning::kNoMemory);
  AssertMeaning("'vlan' not supported on DLT_RAW (Raw IP)", Meaning::kMistake);
}

void WhatAUserWroteIsNotTakenForLibpcapsWords(void**) {
  AssertMeaning("unknown port 'malloc'", Meaning::kMistake);
  AssertMeaning("unknown port 'unknown host 'x''", Meaning::kMistake);
  AssertMeaning("unknown network 'expression rejects all packets'", Meaning::kMistake);
  AssertMeaning("unknown host 'it's'", Meaning::kUnknownHost, "it's");
  AssertMeaning("unknown host 'cut off", Meaning::kMistake);
  AssertMeaning("unknown host '", Meaning::kMistake);
  AssertMeaning("", Meaning::kMistake);
}

/// The version that this is built with, whatever it is.
void TheWordsOfThisLibpcapAreJudged(void**) {
  AssertMeaning(LibpcapSays("tcp and udp"), Meaning::kRejectsAll);
  AssertMeaning(LibpcapSays("host nowhere.example"), Meaning::kUnknownHost, "nowhere.example");
  AssertMeaning(LibpcapSays("ip6 host nowhere.example"), Meaning::kUnknownHost, "nowhere.example");
  AssertMeaning(LibpcapSays("vlan 5"), Meaning::kMistake);
  AssertMeaning(LibpcapSays("port"), Meaning::kMistake);
  const std::string live = LibpcapSays("inbound");
  if (!live.empty()) AssertMeaning(live, Meaning::kLiveOnly);
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  ForbidNameLookup();
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheWordsOfBothVersionsAreKnown),
      cmocka_unit_test(WhatAUserWroteIsNotTakenForLibpcapsWords),
      cmocka_unit_test(TheWordsOfThisLibpcapAreJudged),
  };
  return cmocka_run_group_tests_name("libpcap_words", tests, nullptr, nullptr);
}
