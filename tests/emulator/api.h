// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/answer.h"
#include "tests/emulator/capture_store.h"
#include "tests/emulator/graphql.h"
#include "tests/emulator/options.h"
#include "tests/emulator/ownership.h"
#include "tests/emulator/places.h"
#include "tests/emulator/request.h"
#include "tests/emulator/traffic.h"

namespace cloudflare_emulator {

inline constexpr const char* kBasePath = "/client/v4";

/// The PCAPs API and the GraphQL API of its packets: what each request does and is answered with.
/// Knows no sockets.
class Api {
 public:
  /// The error is a sentence about the options.
  static Outcome<std::unique_ptr<Api>> Make(const Options& options,
                                            std::unique_ptr<Traffic> traffic, Time now);

  /// Carries the request out, unless a rule of the tester's answers it.
  Answer Handle(const Request& request, const Moment& now);

  /// Lets what has become due happen. To be called often, also while no requests come.
  void Advance(const Moment& now);

 private:
  using Parts = std::vector<std::string>;

  Api(const Options& options, std::unique_ptr<Traffic> traffic, Places places);

  Answer Route(const Request& request, const Moment& now);
  Answer RouteAccount(const Request& request, const Parts& rest, const Moment& now);
  Answer RoutePcaps(const Request& request, const Parts& rest, const Moment& now);
  Answer RouteOwnership(const Request& request, const Parts& rest, Time now);
  Answer RouteCapture(const Request& request, const Parts& rest, const Moment& now);

  Answer List(Span now);
  Answer Create(const Request& request, const Moment& now);
  /// How long no sample may be asked for yet; nothing is taken for none.
  Span SampleWait(Span now) const;
  /// What another user of the account does.
  void AskForOther(const Moment& now);
  Answer CreateSample(CaptureRequest request, const Moment& now);
  Answer CreateFull(CaptureRequest request, const Moment& now);
  Answer Stop(Capture& capture, const Moment& now);
  Answer Download(const Capture& capture, Span now);
  Answer Trace(const Moment& now) const;

  Options options_;
  AnswerRules rules_;
  std::unique_ptr<Traffic> traffic_;
  Places places_;
  Graphql graphql_;
  PcapForm form_;
  LifeCycle life_;
  FullSettings full_;
  Ownership ownership_;
  CaptureStore captures_;
  std::optional<Span> last_other_;  ///< When the other user asked last.
};

}  // namespace cloudflare_emulator
