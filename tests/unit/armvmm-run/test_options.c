// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/options.c userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
//
// The command line: what is accepted, and the sentence for what is not.
#include "options.h"
#include "ktap.h"

static struct config config;
static struct error err;

/* Parses the words of @line, none of which holds a blank. */
static int parse(const char *line)
{
	static char buf[1024];
	char *argv[64] = { "armvmm-run" }, *save;
	int argc = 1, ret;

	snprintf(buf, sizeof(buf), "%s", line);
	for (char *word = strtok_r(buf, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	err.text[0] = '\0';
	ret = options_parse(&config, argc, argv, &err);
	return ret;
}

static void refused(const char *line, const char *text)
{
	KTAP_TRUE(parse(line) < 0);
	KTAP_STREQ(err.text, text);
	options_free(&config);
}

static void test_defaults(void)
{
	KTAP_EQ(parse("--kernel z"), OPTIONS_RUN);
	KTAP_STREQ(config.kernel, "z");
	KTAP_EQ(config.nr_cpus, 1);
	KTAP_EQ(config.memory, 256 << 20);
	KTAP_EQ(config.grace, 30);
	KTAP_EQ(config.format, KERNEL_AUTO);
	KTAP_EQ(config.pmu, PMU_AUTO);
	KTAP_EQ(config.nr_disks + config.nr_nets, 0);
	options_free(&config);
}

static void test_pmu(void)
{
	KTAP_EQ(parse("-k z --pmu on"), OPTIONS_RUN);
	KTAP_EQ(config.pmu, PMU_ON);
	KTAP_EQ(parse("-k z --pmu on --pmu off"), OPTIONS_RUN);
	KTAP_EQ(config.pmu, PMU_OFF);
	refused("-k z --pmu yes", "--pmu yes: must be on or off");
	refused("-k z --pmu", "--pmu: needs an argument");
}

static void test_cpus(void)
{
	static const char *const bad[] = { "0", "9", "-1", "x", "1x", "0x2", "+2", "99999999999" };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[64], text[64];

		snprintf(line, sizeof(line), "--kernel z --cpus %s", bad[i]);
		snprintf(text, sizeof(text), "--cpus %s: must be 1 to 8", bad[i]);
		refused(line, text);
	}
	KTAP_EQ(parse("-k z -c 8"), OPTIONS_RUN);
	KTAP_EQ(config.nr_cpus, 8);
}

static void test_memory(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "512", 512 << 20 }, { "512M", 512 << 20 }, { "1g", 1 << 30 },
		{ "3072M", 3072ull << 20 }, { "1M", 1 << 20 }, { "1028K", 1028 << 10 },
	};

	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "--kernel z --memory %s", good[i].text);
		KTAP_EQ(parse(line), OPTIONS_RUN);
		KTAP_EQ(config.memory, good[i].bytes);
	}
	refused("--kernel z --memory 0", "--memory 0: must be 1M to 3072M");
	refused("--kernel z --memory 3073M", "--memory 3073M: must be 1M to 3072M");
	refused("--kernel z --memory 4G", "--memory 4G: must be 1M to 3072M");
	refused("--kernel z --memory 18446744073709551616",
		"--memory 18446744073709551616: must be 1M to 3072M");
	refused("--kernel z --memory 17179869185G", "--memory 17179869185G: must be 1M to 3072M");
	refused("--kernel z --memory 1023K", "--memory 1023K: must be 1M to 3072M");
	refused("--kernel z --memory 1025K", "--memory 1025K: must be a multiple of 4K");
	refused("--kernel z --memory M",
		"--memory M: is no size (a number, with K, M or G behind it)");
	refused("--kernel z --memory -5M",
		"--memory -5M: is no size (a number, with K, M or G behind it)");
	refused("--kernel z --memory 1T",
		"--memory 1T: is no size (a number, with K, M or G behind it)");
}

static void test_disk(void)
{
	KTAP_EQ(parse("-k z -d a.img --disk b,c.img,ro --disk d,direct,ro -d e,rox"), OPTIONS_RUN);
	KTAP_EQ(config.nr_disks, 4);
	KTAP_STREQ(config.disk[0].path, "a.img");
	KTAP_TRUE(!config.disk[0].readonly && !config.disk[0].direct);
	KTAP_STREQ(config.disk[1].path, "b,c.img");
	KTAP_TRUE(config.disk[1].readonly && !config.disk[1].direct);
	KTAP_STREQ(config.disk[2].path, "d");
	KTAP_TRUE(config.disk[2].readonly && config.disk[2].direct);
	KTAP_STREQ(config.disk[3].path, "e,rox");
	options_free(&config);
	refused("-k z -d ,ro", "--disk ,ro: names no file");
	refused("-k z -d 1 -d 2 -d 3 -d 4 -d 5 -d 6 -d 7 -d 8 -d 9 -d 10 -d 11 -d 12 -d 13 -d 14 "
		"-d 15 -d 16 -d 17", "--disk 17: no more than 16 disks");
}

static void test_net(void)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0x00, 0xab, 0xCD, 0xef };

	KTAP_EQ(parse("-k z -n tap=tap0,mac=52:54:00:ab:CD:ef "
		      "-n user,hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.1:53-10.0.2.15:5353"),
		OPTIONS_RUN);
	KTAP_EQ(config.nr_nets, 2);
	KTAP_EQ(config.net[0].kind, NET_TAP);
	KTAP_STREQ(config.net[0].tap, "tap0");
	KTAP_TRUE(config.net[0].has_mac);
	KTAP_MEMEQ(config.net[0].mac, mac, 6);
	KTAP_EQ(config.net[1].kind, NET_USER);
	KTAP_TRUE(!config.net[1].has_mac);
	KTAP_EQ(config.net[1].nr_hostfwds, 2);
	KTAP_TRUE(!config.net[1].hostfwd[0].udp);
	KTAP_EQ(config.net[1].hostfwd[0].host_addr, 0);
	KTAP_EQ(config.net[1].hostfwd[0].host_port, 2222);
	KTAP_EQ(config.net[1].hostfwd[0].guest_port, 22);
	KTAP_TRUE(config.net[1].hostfwd[1].udp);
	KTAP_EQ(config.net[1].hostfwd[1].host_addr, 0x7f000001);
	KTAP_EQ(config.net[1].hostfwd[1].guest_addr, 0x0a00020f);
	options_free(&config);

	refused("-k z -n nat", "--net nat: must begin with \"user\" or \"tap=NAME\"");
	refused("-k z -n tap=", "--net tap=: an interface name has 1 to 15 characters");
	refused("-k z -n tap=0123456789abcdef",
		"--net tap=0123456789abcdef: an interface name has 1 to 15 characters");
	refused("-k z -n user,mac=52:54:00:12:34",
		"--net user,mac=52:54:00:12:34: 52:54:00:12:34 is no card's address (like 52:54:00:12:34:56)");
	refused("-k z -n user,mac=53:54:00:12:34:56",
		"--net user,mac=53:54:00:12:34:56: 53:54:00:12:34:56 is no card's address (like 52:54:00:12:34:56)");
	refused("-k z -n user,mac=52:54:00:12:34:5g",
		"--net user,mac=52:54:00:12:34:5g: 52:54:00:12:34:5g is no card's address (like 52:54:00:12:34:56)");
	refused("-k z -n user,x", "--net user,x: unknown word \"x\"");
	refused("-k z -n tap=a,hostfwd=tcp::1-:2",
		"--net tap=a,hostfwd=tcp::1-:2: hostfwd goes with \"user\" only");
	refused("-k z -n user,hostfwd=tcp::0-:22",
		"--net user,hostfwd=tcp::0-:22: hostfwd=tcp::0-:22 is not like hostfwd=tcp::2222-:22");
	refused("-k z -n user,hostfwd=tcp::65536-:22",
		"--net user,hostfwd=tcp::65536-:22: hostfwd=tcp::65536-:22 is not like hostfwd=tcp::2222-:22");
	refused("-k z -n user,hostfwd=tcp:1.2.3.4.5.6.7.8.9.10:1-:22",
		"--net user,hostfwd=tcp:1.2.3.4.5.6.7.8.9.10:1-:22: hostfwd=tcp:1.2.3.4.5.6.7.8.9.10:1-:22 is not like hostfwd=tcp::2222-:22");
}

static void test_others(void)
{
	KTAP_EQ(parse("--kernel z --format raw --initrd i --append a=b --dtb d --console virtio "
		      "--rng --device /dev/kvm --no-reboot --grace 0 -v"), OPTIONS_RUN);
	KTAP_EQ(config.format, KERNEL_RAW);
	KTAP_STREQ(config.initrd, "i");
	KTAP_STREQ(config.append, "a=b");
	KTAP_STREQ(config.device, "/dev/kvm");
	KTAP_TRUE(config.virtio_console && config.rng && config.no_reboot && config.verbose);
	KTAP_EQ(config.grace, 0);
	KTAP_EQ(parse("--help --cpus 0"), OPTIONS_HELP);
	KTAP_EQ(parse("--version"), OPTIONS_VERSION);
	KTAP_EQ(parse("--dump-dtb x"), OPTIONS_RUN);
}

static void test_usage(void)
{
	refused("", "--kernel FILE is missing (see --help)");
	refused("z", "z: is no option (see --help)");
	refused("--kernel", "--kernel: needs an argument");
	refused("--kernel z -c", "-c: needs an argument");
	refused("--nonsense", "--nonsense: unknown option");
	refused("-q", "-q: unknown option");
	refused("--rng=1", "--rng=1: takes no argument");
	refused("--console x -k z", "--console x: must be virtio");
	refused("--format y -k z", "--format y: must be auto, zimage, image, elf or raw");
	refused("--grace 86401 -k z", "--grace 86401: must be 0 to 86400 seconds");
}

KTAP_MAIN(KTAP_CASE(test_defaults), KTAP_CASE(test_pmu), KTAP_CASE(test_cpus),
	  KTAP_CASE(test_memory), KTAP_CASE(test_disk), KTAP_CASE(test_net),
	  KTAP_CASE(test_others), KTAP_CASE(test_usage))
