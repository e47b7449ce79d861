import Foundation
import PKI
import PKICrypto
import Testing

@Suite struct KeyFileTests {
    private static func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private static func set(_ mode: Int, on path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test func `a generated file holds a key that only its owner can read`() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("kek")
        try KeyEncryptionKey.generate(file: path)
        #expect(try KeyFileTests.mode(path) == 0o400)
        let contents = try Array(Data(contentsOf: URL(filePath: path)))
        #expect(contents.count == 32)
        #expect(try KeyEncryptionKey(file: path).id == KeyEncryptionKey(bytes: SecretBytes(contents)).id)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path) == ["kek"])
    }

    @Test func `an existing file is not overwritten`() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("kek")
        try KeyEncryptionKey.generate(file: path)
        let id = try KeyEncryptionKey(file: path).id
        #expect(throws: KeyEncryptionKeyFailure.fileExists(path: path)) { try KeyEncryptionKey.generate(file: path) }
        #expect(try KeyEncryptionKey(file: path).id == id)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path) == ["kek"])
    }

    @Test(arguments: [0o440, 0o404, 0o644, 0o420, 0o402, 0o600 + 0o001])
    func `a file open to others is refused, and the message says what to type`(mode: Int) throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("kek")
        try KeyEncryptionKey.generate(file: path)
        try KeyFileTests.set(mode, on: path)
        let failure = #expect(throws: KeyEncryptionKeyFailure.self) { try KeyEncryptionKey(file: path) }
        #expect(failure == .fileIsOpenToOthers(path: path, mode: UInt32(mode)))
        #expect(failure?.description.contains("chmod 0400 \(path)") == true)
    }

    @Test(arguments: [0, 31, 33, 64])
    func `a file of another length is refused`(count: Int) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("kek", [UInt8](repeating: 7, count: count))
        try KeyFileTests.set(0o600, on: path)
        #expect(throws: KeyEncryptionKeyFailure.fileLength(path: path, octets: count)) { try KeyEncryptionKey(file: path) }
    }

    @Test func `a missing file, a directory and a pipe are refused without waiting`() throws {
        let scratch = try ScratchDirectory()
        let missing = scratch.path("none")
        let failure = #expect(throws: KeyEncryptionKeyFailure.self) { try KeyEncryptionKey(file: missing) }
        #expect(failure?.description.contains(missing) == true)
        #expect(failure?.description.contains("there is no key-encryption key") == true)
        #expect(throws: KeyEncryptionKeyFailure.fileIsNotRegular(path: scratch.url.path)) {
            try KeyEncryptionKey(file: scratch.url.path)
        }
        let pipe = scratch.path("pipe")
        try #require(mkfifo(pipe, 0o400) == 0)
        #expect(throws: KeyEncryptionKeyFailure.fileIsNotRegular(path: pipe)) { try KeyEncryptionKey(file: pipe) }
    }

    @Test func `a link to a good file is followed`() throws {
        let scratch = try ScratchDirectory()
        try KeyEncryptionKey.generate(file: scratch.path("kek"))
        try FileManager.default.createSymbolicLink(atPath: scratch.path("link"), withDestinationPath: scratch.path("kek"))
        #expect(try KeyEncryptionKey(file: scratch.path("link")).id == KeyEncryptionKey(file: scratch.path("kek")).id)
    }

    @Test func `a key cannot be made where there is no directory`() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("none/kek")
        let failure = #expect(throws: KeyEncryptionKeyFailure.self) { try KeyEncryptionKey.generate(file: path) }
        #expect(failure?.description.contains(path) == true)
    }
}
