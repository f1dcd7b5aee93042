/*
 * chrono.cc - the time as a C++ program reads it, as "name seconds" lines: the clocks of
 * <chrono>, and one that an exception has carried up from a thread.
 */
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <thread>

template <typename Clock> static double now()
{
	return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

struct late : std::runtime_error {
	late() : std::runtime_error("late"), when(now<std::chrono::system_clock>())
	{
	}
	double when;
};

int main()
{
	std::exception_ptr thrown;
	auto begin = std::chrono::steady_clock::now();

	std::printf("system %f\n", now<std::chrono::system_clock>());
	std::printf("high-resolution %f\n", now<std::chrono::high_resolution_clock>());
	std::thread thread([&] {
		try {
			throw late();
		} catch (...) {
			thrown = std::current_exception();
		}
	});
	thread.join();
	try {
		std::rethrow_exception(thrown);
	} catch (const late &e) {
		std::printf("exception %f\n", e.when);
	}
	return std::chrono::steady_clock::now() < begin;
}
