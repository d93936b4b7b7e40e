// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/property/compare_scenes.h"

#include <algorithm>
#include <functional>

namespace compare_traffic {

namespace pcap = cloudflaredump::pcap;

namespace {

/// Packets of other traffic at the router, so that it covers more than Cloudflare's packets do.
void AddBackground(Scene& scene, Random& random) {
  for (auto& local : scene.locals) {
    for (std::int64_t time = kStart - 3 * kSecond; time < kStart + 63 * kSecond;
         time += kSecond / 2) {
      const Octets ip = Ipv4(17, Udp(9999, 9998, RandomOctets(30, random)), 0x0a000001, 0x0a000002,
                             static_cast<std::uint16_t>(random()), false);
      local.push_back({.time = time, .bytes = Ethernet(ip)});
    }
    std::ranges::stable_sort(local, {}, &Record::time);
  }
}

/// What arrives comes to the router's one interface, each packet in a GRE packet of its own.
void Arrive(Scene& scene, Random& random) {
  for (const Sent& sent : scene.sent) {
    if (!sent.arrives) continue;
    scene.locals[0].push_back({.time = sent.time + sent.delay,
                               .bytes = Ethernet(Encapsulate(Forward(sent.ip), {}, random)[0])});
  }
  AddBackground(scene, random);
}

void ShiftLocals(Scene& scene, std::int64_t offset, double drift) {
  for (auto& local : scene.locals) {
    for (Record& record : local) {
      record.time += offset + static_cast<std::int64_t>(drift * 1e-6 *
                                                        static_cast<double>(record.time - kStart));
    }
  }
  scene.offset += static_cast<double>(offset) / 1e9;
  scene.drift = drift;
}

Scene Plain(Random& r) {
  return Simple(r, {}, nullptr);
}
Scene InGre(Random& r) {
  const Tunnel t;
  return Simple(r, {}, &t);
}
Scene InKeyedGre(Random& r) {
  const Tunnel t{.key = true, .sequence = true, .checksum = true};
  return Simple(r, {}, &t);
}
Scene IpInIp(Random& r) {
  const Tunnel t{.gre = false};
  return Simple(r, {}, &t);
}
Scene VlanGre(Random& r) {
  const Tunnel t;
  return Simple(r, {}, &t, 2);
}
Scene OuterFragments(Random& r) {
  const Tunnel t{.mtu = 1400};
  return Simple(r, {}, &t);
}
Scene InnerFragments(Random& random) {
  Scene scene;
  scene.sent = MakeTraffic({.loss = 0, .largest = 1500, .may_fragment = true}, random);
  for (const Sent& sent : scene.sent) {
    std::int64_t time = sent.time + sent.delay;
    for (const Octets& fragment : Fragment(Forward(sent.ip), 1476)) {
      for (const Octets& packet : Encapsulate(fragment, {}, random)) {
        scene.locals[0].push_back({.time = time, .bytes = Ethernet(packet)});
        time += 5'000;
      }
    }
  }
  AddBackground(scene, random);
  return scene;
}
Scene WithLoss(Random& random, const std::function<bool(Sent&)>& lost, const char* kind,
               double loss = 0.005) {
  Scene scene;
  scene.sent = MakeTraffic({.loss = loss}, random);
  for (Sent& sent : scene.sent) {
    if (lost(sent)) sent.arrives = false;
  }
  scene.first_kind = kind;
  Arrive(scene, random);
  return scene;
}
Scene BlackHole(Random& random) {
  const auto limit = static_cast<std::uint32_t>(1300 + random() % 150);
  Scene scene =
      WithLoss(random, [&](const Sent& sent) { return SizeOf(sent.ip) > limit; }, "size", 0.01);
  scene.shortest = 1200;
  scene.longest = limit;
  return scene;
}
Scene OneDestination(Random& random) {
  std::uint32_t target = 0;
  Scene scene = WithLoss(
      random,
      [&](const Sent& sent) {
        if (target == 0) target = sent.destination;
        return sent.destination == target;
      },
      "destination");
  scene.value = std::to_string(target >> 24) + "." + std::to_string(target >> 16 & 255) + "." +
                std::to_string(target >> 8 & 255) + "." + std::to_string(target & 255);
  return scene;
}
Scene TwoSeconds(Random& random) {
  const std::int64_t begin = kStart + 20 * kSecond + static_cast<std::int64_t>(random() % kSecond);
  return WithLoss(
      random,
      [&](const Sent& sent) { return sent.time >= begin && sent.time < begin + 2 * kSecond; },
      "time");
}
Scene TwoRouters(Random& random, bool both) {
  Scene scene;
  scene.locals.resize(both ? 2 : 1);
  scene.sent = MakeTraffic({.loss = 0}, random);
  const std::uint64_t salt = random();
  for (Sent& sent : scene.sent) {
    const bool second = ((sent.flow * 2654435761U) ^ salt) >> 7 & 1;
    if (second && !both) {
      sent.arrives = false;
      continue;
    }
    const Tunnel tunnel{.last = static_cast<std::uint8_t>(second ? 2 : 1)};
    scene.locals[second ? 1 : 0].push_back(
        {.time = sent.time + sent.delay,
         .bytes = Ethernet(Encapsulate(Forward(sent.ip), tunnel, random)[0])});
  }
  if (!both) scene.first_kind = "flow";
  scene.every = 2;
  AddBackground(scene, random);
  return scene;
}
Scene OneOfTwoRouters(Random& r) {
  return TwoRouters(r, false);
}
Scene BothRouters(Random& r) {
  return TwoRouters(r, true);
}
Scene Drift(Random& r) {
  Scene scene = InGre(r);
  ShiftLocals(scene, 3200 * kMillisecond, 40);
  return scene;
}
Scene OneHour(Random& r) {
  Scene scene = InGre(r);
  ShiftLocals(scene, 3600 * kSecond, 0);
  return scene;
}
/// Somebody, or NTP, sets the router's clock, once or a few times.
Scene SetClock(Random& random) {
  Scene scene = InGre(random);
  const auto& sent = scene.sent;
  const std::size_t times = 1 + random() % 3;
  std::vector<std::pair<std::int64_t, std::int64_t>> settings;
  for (std::size_t i = 1; i <= times; ++i) {
    const std::size_t at = sent.size() * i / (times + 1) + random() % (sent.size() / 20);
    const auto size =
        130 * kMillisecond + static_cast<std::int64_t>(random() % 4'000) * kMillisecond;
    settings.emplace_back(sent[at].time, random() % 2 == 0 ? size : -size);
  }
  for (Record& record : scene.locals[0]) {
    const std::int64_t time = record.time;
    for (const auto& [at, by] : settings) record.time += time >= at ? by : 0;
  }
  return scene;
}
/// A hop holds all packets for up to two seconds, and then sends them at once.
Scene HeldUp(Random& random) {
  Scene scene = InGre(random);
  const auto& sent = scene.sent;
  const std::int64_t from = sent[sent.size() / 3 + random() % (sent.size() / 3)].time;
  const std::int64_t until = from + static_cast<std::int64_t>(100 + random() % 1800) * kMillisecond;
  std::int64_t sent_on = until;
  for (Record& record : scene.locals[0]) {
    if (record.time >= from && record.time < sent_on) record.time = sent_on += 20'000;
  }
  return scene;
}
Scene Snap96(Random& r) {
  Scene scene = InGre(r);
  scene.snap = 96;
  return scene;
}
Scene Duplicates(Random& random) {
  Scene scene = InGre(random);
  std::vector<Record> more;
  for (const Record& record : scene.locals[0]) {
    more.push_back(record);
    if (random() % 20 != 0) continue;
    more.push_back(record);
    more.back().time += 1000 * static_cast<std::int64_t>(random() % 300);
    const bool background = record.bytes.size() < 80 && record.bytes[23] == 17;
    if (!background) ++scene.duplicates;
  }
  std::ranges::stable_sort(more, {}, &Record::time);
  scene.locals[0] = std::move(more);
  scene.check_duplicates = true;
  return scene;
}
/// eth0 has the tunnel's packets, gre1 what came out of it; the router loses a few in between.
Scene TwoPoints(Random& random) {
  Scene scene = InGre(random);
  std::vector<Record> records;
  for (const Record& record : scene.locals[0]) {
    records.push_back(record);
    if (record.bytes[23] != 47 || random() % 50 == 0) continue;
    Record inner = record;
    inner.time += 20'000;
    inner.bytes.erase(inner.bytes.begin(), inner.bytes.begin() + 38);
    inner.interface = 1;
    records.push_back(std::move(inner));
  }
  std::ranges::stable_sort(records, {}, &Record::time);
  scene.pcapng = Pcapng(
      {{.link_type = kEthernetLink, .name = "eth0"}, {.link_type = kRawLink, .name = "gre1"}},
      records);
  scene.own_loss = true;
  return scene;
}
/// One record for neighboring segments of a flow.
Scene Offload(Random& random) {
  Scene scene;
  scene.sent = MakeTraffic({.flows = 20, .loss = 0.01}, random);
  struct Open {
    std::size_t record;
    std::uint32_t next;
  };
  std::vector<Open> open(20, {SIZE_MAX, 0});
  auto& local = scene.locals[0];
  const auto word = [](const Octets& in, std::size_t at) {
    return static_cast<std::uint32_t>(in[at]) << 24 | in[at + 1] << 16 | in[at + 2] << 8 |
           in[at + 3];
  };
  // Segments of one flow follow each other at once here, as in a burst.
  for (std::size_t i = 1; i < scene.sent.size(); ++i) {
    const std::size_t burst = i - i % 8;
    if (scene.sent[i].ip[9] == 6)
      scene.sent[i].time = std::max(scene.sent[burst].time, scene.sent[i].time - 20 * kSecond);
  }
  std::ranges::stable_sort(scene.sent, {}, &Sent::time);
  for (const Sent& sent : scene.sent) {
    if (!sent.arrives) {
      continue;
    }
    const Octets ip = Forward(sent.ip);
    const std::uint32_t payload = ip[9] == 6 ? static_cast<std::uint32_t>(ip.size()) - 40 : 0;
    const std::int64_t time = sent.time + 8 * kMillisecond;
    Open& flow = open[sent.flow];
    const bool data = ip[9] == 6 && payload > 0 && (ip[33] & 2) == 0;
    if (data && flow.record != SIZE_MAX && word(ip, 24) == flow.next &&
        time - local[flow.record].time < 2 * kMillisecond &&
        local[flow.record].bytes.size() < 30000) {
      Octets& into = local[flow.record].bytes;
      into.insert(into.end(), ip.begin() + 40, ip.end());
      const auto size = static_cast<std::uint32_t>(into.size() - 14);
      into[16] = static_cast<std::uint8_t>(size >> 8);
      into[17] = static_cast<std::uint8_t>(size);
      flow.next += payload;
      scene.merged = true;
      continue;
    }
    flow = {data ? local.size() : SIZE_MAX, data ? word(ip, 24) + payload : 0};
    Octets frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    frame.insert(frame.end(), ip.begin(), ip.end());
    local.push_back({.time = time, .bytes = std::move(frame)});
  }
  AddBackground(scene, random);
  return scene;
}
/// Equal datagrams without an identification, one every 40 ms from each of 20 senders.
Scene Repeated(Random& random) {
  Scene scene;
  scene.by_packet = false;
  for (std::uint32_t flow = 0; flow < 20; ++flow) {
    const Octets ip =
        Ipv4(17, Udp(static_cast<std::uint16_t>(4000 + flow), 53, RandomOctets(40, random)),
             0xc6330001 + flow, 0xcb007107, 0, true);
    for (std::int64_t i = 0; i < 100; ++i) {
      scene.sent.push_back(
          {.time = kStart + i * 40 * kMillisecond + flow * kMillisecond,
           .ip = ip,
           .flow = flow,
           .arrives = random() % 20 != 0,
           .delay = 8 * kMillisecond + static_cast<std::int64_t>(random() % 1000) * 1000});
    }
  }
  std::ranges::stable_sort(scene.sent, {}, &Sent::time);
  Arrive(scene, random);
  return scene;
}
Scene Rewritten(Random& r) {
  const Tunnel t;
  return Simple(r, {}, &t, 0, true);
}
Scene EspOnly(Random& random) {
  Scene scene;
  scene.sent = MakeTraffic({}, random);
  for (Sent& sent : scene.sent) {
    sent.arrives = false;
    const Octets esp = Ipv4(50, RandomOctets(sent.ip.size() + 40, random), 0xa29f4001, 0xc0000201,
                            static_cast<std::uint16_t>(random()), false);
    scene.locals[0].push_back({.time = sent.time + sent.delay, .bytes = Ethernet(esp)});
  }
  scene.comparable = false;
  scene.first_kind = "encrypted";
  return scene;
}
Scene NoOverlap(Random& random) {
  Scene scene;
  scene.sent = MakeTraffic({}, random);
  const auto other = MakeTraffic({}, random);
  for (const Sent& sent : other) {
    scene.locals[0].push_back({.time = sent.time + 7200 * kSecond, .bytes = Ethernet(sent.ip)});
  }
  for (Sent& sent : scene.sent) sent.arrives = false;
  scene.comparable = false;
  scene.first_kind = "no_overlap";
  return scene;
}
Scene OtherTraffic(Random& random) {
  Scene scene;
  scene.sent = MakeTraffic({}, random);
  for (const Sent& sent : MakeTraffic({}, random)) {
    scene.locals[0].push_back({.time = sent.time, .bytes = Ethernet(sent.ip)});
  }
  for (Sent& sent : scene.sent) sent.arrives = false;
  scene.first_kind = "other_traffic";
  AddBackground(scene, random);
  return scene;
}
Scene Ipv6InGre(Random& r) {
  const Tunnel t{.key = true};
  return Simple(r, {.ipv6 = true, .largest = 1400}, &t);
}

constexpr Case kCases[] = {
    {"plain", Plain},
    {"gre", InGre},
    {"keyed-gre", InKeyedGre},
    {"ip-in-ip", IpInIp},
    {"vlan-gre", VlanGre},
    {"outer-fragments", OuterFragments},
    {"inner-fragments", InnerFragments},
    {"black-hole", BlackHole},
    {"one-destination", OneDestination},
    {"two-seconds", TwoSeconds},
    {"one-of-two-routers", OneOfTwoRouters},
    {"both-routers", BothRouters},
    {"drift", Drift},
    {"one-hour", OneHour},
    {"set-clock", SetClock},
    {"held-up", HeldUp},
    {"snap-96", Snap96},
    {"duplicates", Duplicates},
    {"two-points", TwoPoints},
    {"offload", Offload},
    {"repeated", Repeated},
    {"rewritten", Rewritten},
    {"esp-only", EspOnly},
    {"no-overlap", NoOverlap},
    {"other-traffic", OtherTraffic},
    {"ipv6", Ipv6InGre},
};

}  // namespace

std::string Pcapng(const std::vector<pcap::InterfaceBlock>& interfaces,
                   const std::vector<Record>& records) {
  std::string out;
  pcap::AppendSectionHeader(out, "made");
  for (const auto& interface : interfaces) pcap::AppendInterface(out, interface);
  for (const Record& record : records) {
    const std::size_t size = record.bytes.size();
    pcap::AppendPacket(out, record.interface,
                       {.ticks = static_cast<std::uint64_t>(record.time / 1000),
                        .original_length = record.original != 0 ? record.original
                                                                : static_cast<std::uint32_t>(size),
                        .bytes = std::as_bytes(std::span(record.bytes))});
  }
  return out;
}

Scene Simple(Random& random, TrafficOptions options, const Tunnel* tunnel, int tags, bool rewrite) {
  Scene scene;
  scene.sent = MakeTraffic(options, random);
  for (const Sent& sent : scene.sent) {
    if (!sent.arrives) continue;
    const Octets ip = Forward(sent.ip, rewrite);
    const std::vector<Octets> packets =
        tunnel != nullptr ? Encapsulate(ip, *tunnel, random) : std::vector<Octets>{ip};
    std::int64_t time = sent.time + sent.delay;
    for (const Octets& packet : packets) {
      scene.locals[0].push_back({.time = time, .bytes = Ethernet(packet, tags)});
      time += 5'000;
    }
  }
  AddBackground(scene, random);
  return scene;
}

std::span<const Case> Cases() {
  return kCases;
}

}  // namespace compare_traffic
