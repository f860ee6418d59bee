// The boundary with JavaScript: registration and conversion of values, described in types in src/binding.ts.

#include <napi.h>

#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <unordered_map>

#include "driver/driver.h"
#include "engine/engine.h"
#include "probe.h"

namespace {

using airllm::DriverError;
using airllm::Engine;
using airllm::EngineOptions;
using airllm::InvalidOperand;
using airllm::Matrix;
using airllm::Memory;
using airllm::Task;

[[noreturn]] void fail(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  throw error;
}

size_t sizeArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsNumber()) fail(info.Env(), "INVALID_OPERAND", "Expected a number");
  const double value = info[index].As<Napi::Number>().DoubleValue();
  if (!(value >= 0 && value <= 9007199254740991.0)) {
    fail(info.Env(), "INVALID_OPERAND", "Expected a non-negative size");
  }
  return static_cast<size_t>(value);
}

template <typename Array>
Array arrayArgument(const Napi::CallbackInfo& info, size_t index, napi_typedarray_type type) {
  if (!info[index].IsTypedArray() || info[index].As<Napi::TypedArray>().TypedArrayType() != type) {
    fail(info.Env(), "INVALID_OPERAND", "Expected a typed array of another type");
  }
  return info[index].As<Array>();
}

/** Calls what throws DriverError, as an error of the compute contract. */
template <typename Call>
auto onDevice(Napi::Env env, Call call) {
  try {
    return call();
  } catch (const DriverError& error) {
    fail(env, error.code, error.what());
  } catch (const std::bad_alloc&) {
    fail(env, "OUT_OF_MEMORY", "Expected memory for what a submission needs on its way");
  }
}

/** A task and the promise it settles. */
struct PromisedTask : Task {
  explicit PromisedTask(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise::Deferred deferred;
  /** The number that the copy of a pin gets. */
  uint64_t copyId = 0;
};

/** What an ArrayBuffer holds on to: its memory, until it is released or the buffer is collected. */
struct View {
  std::shared_ptr<Memory> memory;
};

struct Held {
  std::shared_ptr<Memory> memory;
  std::shared_ptr<View> view;
};

/** One backend: its device, its threads, and its memory by number. */
class EngineHandle : public Napi::ObjectWrap<EngineHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "Engine",
        {InstanceMethod<&EngineHandle::allocateHost>("allocateHost"),
         InstanceMethod<&EngineHandle::allocateDevice>("allocateDevice"),
         InstanceMethod<&EngineHandle::expose>("expose"), InstanceMethod<&EngineHandle::release>("release"),
         InstanceMethod<&EngineHandle::submit>("submit"), InstanceMethod<&EngineHandle::pin>("pin"),
         InstanceMethod<&EngineHandle::write>("write"), InstanceMethod<&EngineHandle::read>("read"),
         InstanceMethod<&EngineHandle::usedBytes>("usedBytes"),
         InstanceMethod<&EngineHandle::close>("close")});
  }

  /** new Engine({ library, device, memoryBytes, stagingBytes, workspaceBytes, fast, emulatedBytes }) */
  explicit EngineHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineHandle>(info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsObject()) fail(env, "INVALID_OPERAND", "Expected options");
    const auto options = info[0].As<Napi::Object>();
    const auto size = [&](const char* name) {
      const Napi::Value value = options.Get(name);
      const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
      if (!(number >= 0 && number <= 9007199254740991.0)) {
        fail(env, "INVALID_OPERAND", std::string("Expected a non-negative size for ") + name);
      }
      return static_cast<size_t>(number);
    };
    const airllm::DriverOptions driver{options.Get("library").ToString().Utf8Value(),
                                       static_cast<int>(size("device")), size("emulatedBytes")};
    const EngineOptions engine{size("memoryBytes"), size("stagingBytes"), size("workspaceBytes"),
                               options.Get("fast").ToBoolean()};
    // Created before the cleanup hook, which therefore runs first: threads end before their way to report
    // does.
    completions_ = Completions::New(env, "airllm cuda backend", 0, 1, this);
    completions_.Unref(env);
    try {
      engine_ =
          std::make_unique<Engine>(airllm::openDriver(driver), engine, [this](std::unique_ptr<Task> task) {
            // Refused only when the environment is closing; then nobody waits for the promise.
            if (completions_.NonBlockingCall(task.get()) == napi_ok) task.release();
          });
    } catch (const DriverError& error) {
      completions_.Release();
      fail(env, error.code, error.what());
    } catch (const std::system_error& error) {
      completions_.Release();
      fail(env, "BACKEND_UNAVAILABLE", std::string("Expected to start threads but ") + error.what());
    }
    napi_add_env_cleanup_hook(env, stopAtExit, this);
    const auto self = info.This().As<Napi::Object>();
    const airllm::DeviceDescription& device = engine_->description();
    self.Set("deviceName", Napi::String::New(env, device.name));
    self.Set("computeCapability", Napi::String::New(env, std::to_string(device.computeMajor) + "." +
                                                             std::to_string(device.computeMinor)));
    self.Set("limitBytes", number(env, engine_->device().limitBytes()));
    self.Set("stagingBytes", number(env, engine_->stagingBytes()));
  }

  ~EngineHandle() override { shutDown(); }

 private:
  static Napi::Value number(Napi::Env env, size_t value) {
    return Napi::Number::New(env, static_cast<double>(value));
  }

  static void settle(Napi::Env env, Napi::Function, EngineHandle* self, Task* completed) {
    const std::unique_ptr<PromisedTask> task(static_cast<PromisedTask*>(completed));
    // During teardown the queue is drained without an environment.
    if (env == nullptr) return;
    const Napi::HandleScope scope(env);
    if (task->errorCode != nullptr) {
      Napi::Error error = Napi::Error::New(env, task->errorMessage);
      error.Set("code", Napi::String::New(env, task->errorCode));
      task->deferred.Reject(error.Value());
    } else if (task->kind == Task::Kind::kRead) {
      Napi::Float32Array values = Napi::Float32Array::New(env, task->data.size());
      std::copy(task->data.begin(), task->data.end(), values.Data());
      task->deferred.Resolve(values);
    } else if (task->kind == Task::Kind::kPin) {
      self->memory_.emplace(task->copyId, Held{std::move(task->copy), nullptr});
      task->deferred.Resolve(number(env, task->copyId));
    } else {
      task->deferred.Resolve(Napi::Number::New(env, task->computeSeconds));
    }
    self->ended(env);
  }
  using Completions = Napi::TypedThreadSafeFunction<EngineHandle, Task, settle>;

  static void stopAtExit(void* data) {
    auto* self = static_cast<EngineHandle*>(data);
    self->exiting_ = true;
    self->engine_->stop();
  }

  /** While promises are pending the process and this object stay alive. */
  void began(Napi::Env env) {
    if (pending_++ > 0) return;
    completions_.Ref(env);
    Ref();
  }

  void ended(Napi::Env env) {
    if (--pending_ > 0) return;
    completions_.Unref(env);
    Unref();
  }

  Engine& engine(Napi::Env env) {
    if (engine_ == nullptr) fail(env, "BACKEND_CLOSED", "Expected an open backend");
    return *engine_;
  }

  std::shared_ptr<Memory> find(uint64_t id) const {
    const auto found = memory_.find(id);
    return found == memory_.end() ? nullptr : found->second.memory;
  }

  std::shared_ptr<Memory> memoryArgument(const Napi::CallbackInfo& info, size_t index, bool onHost) {
    std::shared_ptr<Memory> memory = find(sizeArgument(info, index));
    if (memory == nullptr || memory->onHost() != onHost) {
      fail(info.Env(), "INVALID_OPERAND", "Expected memory of this backend that is not disposed");
    }
    return memory;
  }

  Napi::Value keep(Napi::Env env, std::shared_ptr<Memory> memory) {
    memory_.emplace(++lastId_, Held{std::move(memory), nullptr});
    return number(env, lastId_);
  }

  /** allocateHost(byteLength: number): number */
  Napi::Value allocateHost(const Napi::CallbackInfo& info) {
    Engine& engine = this->engine(info.Env());
    const size_t byteLength = sizeArgument(info, 0);
    return keep(info.Env(), onDevice(info.Env(), [&] { return engine.device().allocateHost(byteLength); }));
  }

  /** allocateDevice(byteLength: number): number */
  Napi::Value allocateDevice(const Napi::CallbackInfo& info) {
    Engine& engine = this->engine(info.Env());
    const size_t byteLength = sizeArgument(info, 0);
    return keep(info.Env(), onDevice(info.Env(), [&] { return engine.device().allocate(byteLength); }));
  }

  /** expose(id: number): ArrayBuffer — once per id, valid until release(id, buffer) detaches it. */
  Napi::Value expose(const Napi::CallbackInfo& info) {
    const std::shared_ptr<Memory> memory = memoryArgument(info, 0, true);
    auto view = std::make_shared<View>(View{memory});
    memory_[sizeArgument(info, 0)].view = view;
    auto* hold = new std::shared_ptr<View>(std::move(view));
    return Napi::ArrayBuffer::New(
        info.Env(), memory->data(), memory->byteLength(),
        [](Napi::Env, void*, std::shared_ptr<View>* finalized) { delete finalized; }, hold);
  }

  /** release(id: number, buffer?: ArrayBuffer): void */
  void release(const Napi::CallbackInfo& info) {
    const auto found = memory_.find(sizeArgument(info, 0));
    if (found == memory_.end()) return;
    if (info[1].IsArrayBuffer()) {
      info[1].As<Napi::ArrayBuffer>().Detach();
      // The finalizer of a detached buffer runs some time later; its memory goes now.
      if (found->second.view != nullptr) found->second.view->memory.reset();
    }
    memory_.erase(found);
  }

  /** submit(words: Float64Array): Promise<number> of seconds */
  Napi::Value submit(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Engine& engine = this->engine(env);
    const auto words = arrayArgument<Napi::Float64Array>(info, 0, napi_float64_array);
    auto task = std::make_unique<PromisedTask>(env);
    onDevice(env, [&] {
      try {
        task->program = airllm::decodeProgram(
            words.Data(), words.ElementLength(), [this](uint64_t id) { return find(id); }, airllm::kLimits);
      } catch (const InvalidOperand& error) {
        fail(env, "INVALID_OPERAND", error.what());
      }
      engine.expectRoom(*task->program);
    });
    return enqueue(env, engine, std::move(task));
  }

  /** pin(id: number): Promise<number> of the copy */
  Napi::Value pin(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Engine& engine = this->engine(env);
    auto task = std::make_unique<PromisedTask>(env);
    task->kind = Task::Kind::kPin;
    task->memory = memoryArgument(info, 0, true);
    task->copy = onDevice(env, [&] { return engine.device().allocate(task->memory->byteLength()); });
    task->copyId = ++lastId_;
    return enqueue(env, engine, std::move(task));
  }

  Napi::Value enqueue(Napi::Env env, Engine& engine, std::unique_ptr<PromisedTask> task) {
    const Napi::Promise promise = task->deferred.Promise();
    began(env);
    engine.submit(std::move(task));
    return promise;
  }

  /** A copy between an arena and packed rows; arguments are (id, tensor). */
  std::unique_ptr<PromisedTask> copyTask(const Napi::CallbackInfo& info, Task::Kind kind) {
    const Napi::Env env = info.Env();
    auto task = std::make_unique<PromisedTask>(env);
    task->kind = kind;
    task->memory = memoryArgument(info, 0, false);
    const auto words = arrayArgument<Napi::Float64Array>(info, 1, napi_float64_array);
    return onDevice(env, [&] {
      try {
        task->rows = airllm::decodeTensor(words.Data(), words.ElementLength(), *task->memory);
      } catch (const InvalidOperand& error) {
        fail(env, "INVALID_OPERAND", error.what());
      }
      task->data.resize(task->rows.rows * task->rows.cols);
      return std::move(task);
    });
  }

  /** write(id: number, tensor: Float64Array, data: Float32Array): Promise */
  Napi::Value write(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Engine& engine = this->engine(env);
    auto task = copyTask(info, Task::Kind::kWrite);
    const auto data = arrayArgument<Napi::Float32Array>(info, 2, napi_float32_array);
    if (data.ElementLength() != task->data.size()) {
      fail(env, "INVALID_OPERAND",
           "Expected " + std::to_string(task->data.size()) + " values for the tensor but received " +
               std::to_string(data.ElementLength()));
    }
    std::copy_n(data.Data(), task->data.size(), task->data.begin());
    return enqueue(env, engine, std::move(task));
  }

  /** read(id: number, tensor: Float64Array): Promise<Float32Array> */
  Napi::Value read(const Napi::CallbackInfo& info) {
    Engine& engine = this->engine(info.Env());
    return enqueue(info.Env(), engine, copyTask(info, Task::Kind::kRead));
  }

  /** usedBytes(): number */
  Napi::Value usedBytes(const Napi::CallbackInfo& info) {
    return number(info.Env(), engine_ == nullptr ? 0 : engine_->device().usedBytes());
  }

  /** close(): void — ends the threads; the caller has awaited its submissions. */
  void close(const Napi::CallbackInfo&) { shutDown(); }

  void shutDown() {
    if (engine_ == nullptr) return;
    if (!exiting_) napi_remove_env_cleanup_hook(Env(), stopAtExit, this);
    engine_.reset();
    // A closing environment frees the thread-safe function itself.
    if (!exiting_) completions_.Release();
  }

  Completions completions_;
  std::unique_ptr<Engine> engine_;
  std::unordered_map<uint64_t, Held> memory_;
  bool exiting_ = false;
  uint64_t lastId_ = 0;
  size_t pending_ = 0;
};

/** probe(library: string): { driverVersion, devices } */
Napi::Value probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const airllm::Probe found =
      onDevice(env, [&] { return airllm::probeDevices(info[0].ToString().Utf8Value()); });
  Napi::Array devices = Napi::Array::New(env);
  for (const airllm::DeviceDescription& device : found.devices) {
    Napi::Object one = Napi::Object::New(env);
    one.Set("name", Napi::String::New(env, device.name));
    one.Set("computeCapability", Napi::String::New(env, std::to_string(device.computeMajor) + "." +
                                                            std::to_string(device.computeMinor)));
    one.Set("totalBytes", Napi::Number::New(env, static_cast<double>(device.totalBytes)));
    one.Set("freeBytes", Napi::Number::New(env, static_cast<double>(device.freeBytes)));
    devices.Set(devices.Length(), one);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("driverVersion", Napi::String::New(env, found.driverVersion));
  result.Set("devices", devices);
  return result;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", EngineHandle::define(env));
  exports.Set("probe", Napi::Function::New(env, probe));
  return exports;
}

}  // namespace

NODE_API_MODULE(airllm_cuda, initialize)
